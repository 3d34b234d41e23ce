# A firmware image that tells a processor which runs guests from one that only claims to.
#
# QEMU loads the 64 KiB as its firmware. They go from the 16-bit mode of the reset to 64-bit mode with paging, as any
# kernel does, count 200 million steps there, and end QEMU through its isa-debug-exit device with exit code 33.
#
# The counting is the point: on hosts where KVM can be opened but emulates this code instead of running it, an image
# without it passes, while a real kernel does not come up within minutes. A processor counts this far in 0.1 s, and
# QEMU's translator in 0.3 s (measured with QEMU 7.2).

        .set    BASE,         0xf0000           # where the image is visible below 1 MiB
        .set    PML4,         0x10000           # page tables in RAM, one page each
        .set    PDPT,         0x11000
        .set    PAGE_DIR,     0x12000
        .set    STEPS,        200000000
        .set    EXIT_PORT,    0xf4
        .set    EXIT_VALUE,   0x10              # QEMU ends with (value << 1) | 1 = 33

        .set    CODE32,       0x08              # selectors of the descriptor table below
        .set    DATA,         0x10
        .set    CODE64,       0x18

        .globl  _start
        .code16
_start: cli
        data32 lgdt %cs:(table_pointer - _start)
        movl    %cr0, %eax
        orl     $1, %eax                        # protected mode
        movl    %eax, %cr0
        ljmpl   $CODE32, $(BASE + protected - _start)

        .code32
protected:
        movl    $DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss

        movl    $PML4, %edi                     # clear the three tables
        xorl    %eax, %eax
        movl    $(3 * 4096 / 4), %ecx
        rep stosl
        movl    $(PDPT + 3), PML4               # present, writable
        movl    $(PAGE_DIR + 3), PDPT
        movl    $PAGE_DIR, %edi                 # the first GiB in pages of 2 MiB
        movl    $0x83, %eax
        movl    $512, %ecx
map:    movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x200000, %eax
        loop    map

        movl    $PML4, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x20, %eax                     # physical address extension
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx               # EFER: long mode
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000000, %eax               # paging
        movl    %eax, %cr0
        ljmpl   $CODE64, $(BASE + long_mode - _start)

        .code64
long_mode:
        movl    $STEPS, %ecx
count:  decl    %ecx
        jnz     count
        xorl    %eax, %eax                      # one exit that only a hypervisor can handle
        cpuid
        movl    $EXIT_PORT, %edx
        movb    $EXIT_VALUE, %al
        outb    %al, %dx
stop:   hlt
        jmp     stop

        .balign 8
table:  .quad   0
        .quad   0x00cf9a000000ffff              # 32-bit code
        .quad   0x00cf92000000ffff              # data
        .quad   0x00af9a000000ffff              # 64-bit code
table_pointer:
        .word   table_pointer - table - 1
        .long   BASE + table - _start

        .org    0xfff0                          # the reset vector
        .code16
        ljmp    $0xf000, $0
        .org    0x10000
