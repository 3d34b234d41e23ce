// A guest of its own for tests and measurements of capture: it boots in a moment (multiboot, QEMU's -kernel), and
// writes to its memory exactly what the host asks for through a mailbox at a fixed address.
//
// The host writes a command into the mailbox through the RAM file and then raises `request`; the guest copies the
// number to `accepted` when it begins and to `finished` when it is done. The guest writes into the mailbox's page after
// the host has, so that tracking of the guest's own writes finds this page too.
#include <stdint.h>

enum { CHANGE = 1, STORM = 2, REWRITE = 3 };
enum { PAGE = 4096, WORDS = PAGE / 4, CPUS = 2 };

struct mailbox {
    volatile uint32_t request;
    volatile uint32_t accepted;
    volatile uint32_t finished;
    volatile uint32_t cpus; // that are up
    volatile uint32_t command;
    volatile uint32_t first_page;
    volatile uint32_t page_count;
    volatile uint32_t stride; // distance between pages that CHANGE writes, in pages
    volatile uint32_t seed;
    volatile uint32_t pages_per_second; // of REWRITE
    volatile uint32_t rounds[CPUS];     // of STORM or REWRITE over its pages, since the command began
};

// Conventional memory that the firmware leaves alone once it has started us.
#define MAILBOX ((struct mailbox *)0x6000)
#define TRAMPOLINE 0x8000
#define LOCAL_APIC 0xfee00000

// The ACPI timer of the q35 board, where SeaBIOS puts it: 24 bits at 3.579545 MHz.
#define TIMER_PORT 0x608
#define TIMER_HERTZ 3579545u
#define TIMER_MASK 0xffffffu

void boot_main(uint32_t cpu);

__asm__(".section .multiboot, \"a\"\n"
        ".balign 4\n"
        ".long 0x1badb002, 0, -0x1badb002\n"
        ".text\n"
        ".globl _start\n"
        "_start: movl $(stacks + 4096), %esp\n"
        "pushl $0\n"
        "call boot_main\n"
        // What a second processor begins with, in real mode at TRAMPOLINE: the way to 32 bits, and to boot_main.
        ".globl trampoline, trampoline_end\n"
        ".code16\n"
        "trampoline: cli\n"
        "xorw %ax, %ax\n"
        "movw %ax, %ds\n"
        "lgdtl (0x8000 + pointer - trampoline)\n"
        "movl %cr0, %eax\n"
        "orl $1, %eax\n"
        "movl %eax, %cr0\n"
        "ljmpl $8, $(0x8000 + protected - trampoline)\n"
        ".code32\n"
        "protected: movl $16, %eax\n"
        "movl %eax, %ds\n"
        "movl %eax, %es\n"
        "movl %eax, %ss\n"
        "movl $(stacks + 8192), %esp\n"
        "pushl $1\n"
        "movl $boot_main, %eax\n"
        "call *%eax\n"
        ".balign 8\n"
        "table: .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n"
        "pointer: .word 23\n"
        ".long 0x8000 + table - trampoline\n"
        "trampoline_end:\n");

extern const uint8_t trampoline[], trampoline_end[];
uint8_t stacks[2 * PAGE] __attribute__((aligned(16)));

static uint32_t timer(void) {
    uint32_t value;
    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(TIMER_PORT));
    return value & TIMER_MASK;
}

static void wait_ticks(uint32_t ticks) {
    uint32_t start = timer();
    while (((timer() - start) & TIMER_MASK) < ticks) {
    }
}

static void start_second_cpu(void) {
    volatile uint32_t *command = (uint32_t *)(LOCAL_APIC + 0x300);
    for (uint32_t i = 0; i < (uint32_t)(trampoline_end - trampoline); i++) {
        ((volatile uint8_t *)TRAMPOLINE)[i] = trampoline[i];
    }
    *command = 0xc4500; // INIT to all others
    wait_ticks(TIMER_HERTZ / 100);
    *command = 0xc4600 | (TRAMPOLINE / PAGE);
}

// Every second word is noise, the others count: about half of what compression finds in real memory.
static void fill(uint32_t page, uint32_t seed) {
    volatile uint32_t *words = (uint32_t *)(page * PAGE);
    uint32_t noise = (page + 1) * 2654435761u ^ (seed + 1) * 40503u;
    for (uint32_t i = 0; i < WORDS; i += 2) {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        words[i] = noise;
        words[i + 1] = i + seed;
    }
}

static void storm(struct mailbox *box, uint32_t cpu, uint32_t request) {
    uint32_t half = box->page_count / box->cpus;
    uint32_t first = box->first_page + cpu * half;
    uint32_t value = box->seed + cpu;
    while (box->request == request) {
        for (uint32_t page = first; page < first + half; page++) {
            value = value * 1664525u + 1013904223u;
            ((volatile uint32_t *)(page * PAGE))[value >> 22] = value;
        }
        box->rounds[cpu]++;
    }
}

static void rewrite(struct mailbox *box, uint32_t request) {
    uint32_t ticks_per_batch = TIMER_HERTZ / (box->pages_per_second / 16);
    uint32_t due = timer();
    uint32_t done = 0;
    for (uint32_t round = 0;; round++) {
        for (uint32_t i = 0; i < box->page_count; i++) {
            fill(box->first_page + i, box->seed + round);
            if (++done % 16 == 0) {
                due += ticks_per_batch;
                while (((due - timer()) & TIMER_MASK) < TIMER_MASK / 2) {
                    __asm__ volatile("pause");
                }
                if (box->request != request) {
                    return;
                }
            }
        }
        box->rounds[0]++;
    }
}

static void serve(struct mailbox *box, uint32_t cpu, uint32_t request) {
    switch (box->command) {
    case CHANGE:
        for (uint32_t i = 0; cpu == 0 && i < box->page_count; i++) {
            fill(box->first_page + i * box->stride, box->seed);
        }
        break;
    case STORM:
        storm(box, cpu, request);
        break;
    case REWRITE:
        if (cpu == 0) {
            rewrite(box, request);
        }
        break;
    default:
        break;
    }
}

void boot_main(uint32_t cpu) {
    struct mailbox *box = MAILBOX;
    if (cpu == 0) {
        for (uint32_t i = 0; i < sizeof(*box) / 4; i++) {
            ((volatile uint32_t *)box)[i] = 0;
        }
        box->cpus = 1;
        start_second_cpu();
    } else {
        box->cpus = 2;
    }
    uint32_t served = 0;
    for (;;) {
        uint32_t request = box->request;
        if (request == served) {
            __asm__ volatile("pause");
            continue;
        }
        served = request;
        if (cpu == 0) {
            box->rounds[0] = 0;
            box->rounds[1] = 0;
            box->accepted = request;
        }
        serve(box, cpu, request);
        if (cpu == 0) {
            box->finished = request;
        }
    }
}
