package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stillcut.agent.linux.AvailableMemory;
import org.stillcut.agent.linux.MappedFile;
import org.stillcut.agent.linux.MemoryBlock;

/**
 * Copies of single pages of a VM's RAM. Costs as much memory as there are pages in it, whatever the size of the VM; the memory
 * comes in blocks that stay for the next use. Used by one thread at a time.
 */
final class PagePool implements AutoCloseable {
    private static final int PAGE_BYTES = PageSet.PAGE_BYTES;

    /** One entry of the directory: a page of the table would be too large for small VMs, and this is what a page table has. */
    private static final int LEAF_PAGES = 512;

    private static final int BLOCK_PAGES = 1024;

    /** Left to the rest of the machine, however much a VM has changed. */
    private static final long MEMORY_RESERVE_BYTES = 128L << 20;

    private static final int NOWHERE = -1;

    /** Page to slot, in two levels: the second one only where there are pages. */
    private final int[] @Nullable [] slots;

    private final List<MemoryBlock> blocks = new ArrayList<>();
    private int used;

    PagePool(long ramBytes) {
        slots = new int[Math.toIntExact(Math.ceilDiv(ramBytes, (long) LEAF_PAGES * PAGE_BYTES))][];
    }

    /** Has room for that many more pages when this returns, touched memory. */
    void reserve(int pageCount) throws IOException {
        int missing = used + pageCount - blocks.size() * BLOCK_PAGES;
        if (missing <= 0) {
            return;
        }
        int more = Math.ceilDiv(missing, BLOCK_PAGES);
        long moreBytes = (long) more * BLOCK_PAGES * PAGE_BYTES;
        long available = AvailableMemory.bytes();
        if (available < moreBytes + MEMORY_RESERVE_BYTES) {
            throw new IOException("no memory for a copy of what changed in the RAM: " + (moreBytes >> 20)
                    + " MiB more are needed, " + (available >> 20) + " MiB are left on this node");
        }
        try {
            for (int i = 0; i < more; i++) {
                blocks.add(new MemoryBlock((long) BLOCK_PAGES * PAGE_BYTES));
            }
        } catch (OutOfMemoryError e) {
            throw new IOException("no memory for a copy of what changed in the RAM", e);
        }
    }

    /** Copies a run of pages; replaces copies of them that are there. */
    void copy(MappedFile ram, int firstPage, int pageCount) throws IOException {
        for (int done = 0; done < pageCount; ) {
            int slot = slotFor(firstPage + done);
            int length = 1;
            // Slots are given out in order, so runs mostly stay runs.
            while (done + length < pageCount
                    && (slot + length) % BLOCK_PAGES != 0
                    && slotFor(firstPage + done + length) == slot + length) {
                length++;
            }
            ram.copyTo(
                    (long) (firstPage + done) * PAGE_BYTES,
                    blocks.get(slot / BLOCK_PAGES),
                    (long) (slot % BLOCK_PAGES) * PAGE_BYTES,
                    (long) length * PAGE_BYTES);
            done += length;
        }
    }

    private int slotFor(int page) throws IOException {
        int[] leaf = slots[page / LEAF_PAGES];
        if (leaf == null) {
            leaf = new int[LEAF_PAGES];
            Arrays.fill(leaf, NOWHERE);
            slots[page / LEAF_PAGES] = leaf;
        }
        int slot = leaf[page % LEAF_PAGES];
        if (slot == NOWHERE) {
            reserve(1);
            slot = used++;
            leaf[page % LEAF_PAGES] = slot;
        }
        return slot;
    }

    /** Fills the rest of a buffer with bytes of pages that are here. */
    void read(long offsetBytes, ByteBuffer target) {
        long offset = offsetBytes;
        while (target.hasRemaining()) {
            int page = (int) (offset / PAGE_BYTES);
            int[] leaf = slots[page / LEAF_PAGES];
            int slot = leaf == null ? NOWHERE : leaf[page % LEAF_PAGES];
            if (slot == NOWHERE) {
                throw new IllegalArgumentException("page " + page + " was not copied");
            }
            int within = (int) (offset % PAGE_BYTES);
            int length = Math.min(target.remaining(), PAGE_BYTES - within);
            ByteBuffer part = target.slice(target.position(), length);
            blocks.get(slot / BLOCK_PAGES).read((long) (slot % BLOCK_PAGES) * PAGE_BYTES + within, part);
            target.position(target.position() + length);
            offset += length;
        }
    }

    /** The number of pages that are here. */
    int pageCount() {
        return used;
    }

    /** The memory held, used or not. */
    long heldBytes() {
        return (long) blocks.size() * BLOCK_PAGES * PAGE_BYTES;
    }

    /**
     * Forgets all pages. Keeps as much memory as they had, or half of what is held, for the next ones.
     *
     * @param leastPages room to be kept in any case, if it is there
     */
    void clear(int leastPages) {
        Arrays.fill(slots, null);
        int keep = Math.max(Math.ceilDiv(Math.max(used, leastPages), BLOCK_PAGES), blocks.size() / 2);
        while (blocks.size() > keep) {
            blocks.removeLast().close();
        }
        used = 0;
    }

    @Override
    public void close() {
        blocks.forEach(MemoryBlock::close);
        blocks.clear();
        Arrays.fill(slots, null);
        used = 0;
    }
}
