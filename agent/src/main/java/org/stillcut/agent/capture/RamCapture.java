package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.DataRanges;
import org.stillcut.agent.linux.MappedFile;
import org.stillcut.store.ImageRef;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;

/**
 * A VM's RAM on its way into checkpoints. Pages that changed are copied in rounds while the VM runs ({@link #precopy}), those
 * that changed since in the pause ({@link #cut}), and stored while it runs on. Each image is the one stored before, its
 * <em>base</em>, with the changed pages over it.
 *
 * <p>Three sets of pages make sure that nothing is lost, whatever fails: the tracker's, written since it was last asked;
 * {@code pending}, known to have changed and not copied since; {@code changed}, all that may differ from the base. A page goes
 * from the first into the other two at once, leaves {@code pending} when it was copied, and {@code changed} when a checkpoint has it.
 *
 * <p>Used by one thread at a time. The tracker, the fill and all memory belong to this and go with {@link #close}.
 */
public final class RamCapture implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RamCapture.class);

    /** A round of so few pages takes a millisecond or two, most of it for looking. */
    private static final int SMALL_ROUND_PAGES = 256;

    /** The number of rounds in the worst case; a guest that writes faster than we copy is not caught up with. */
    private static final int MOST_ROUNDS = 6;

    /** What is copied between two looks at whether the checkpoint was given up: some milliseconds' worth. */
    private static final int SLICE_PAGES = (64 << 20) / PageSet.PAGE_BYTES;

    /** Memory at hand for the cut: what a guest writes at 1 GB/s between the last round and the pause, some 30 ms. */
    private static final int CUT_RESERVE_PAGES = (32 << 20) / PageSet.PAGE_BYTES;

    private final Path file;
    private final MappedFile ram;
    private final DirtyTracker tracker;
    private final PagePool pool;
    private final PageSet changed = new PageSet();
    private final PageSet pending = new PageSet();
    private final Optional<LazyFill> fill;
    private Optional<ImageRef> base;

    /** The image of the last cut, once it is durable; it becomes the base when the next checkpoint begins. */
    private @Nullable ImageRef unconfirmed;

    private RamCapture(Path file, MappedFile ram, DirtyTracker tracker, Optional<LazyFill> fill) {
        this.file = file;
        this.ram = ram;
        this.tracker = tracker;
        this.fill = fill;
        this.pool = new PagePool(ram.lengthBytes());
        this.base = Optional.empty();
    }

    private static RamCapture open(Path file, long lengthBytes, DirtyTracker tracker, Optional<LazyFill> fill)
            throws IOException {
        boolean open = false;
        try {
            RamCapture capture = new RamCapture(file, new MappedFile(file, lengthBytes), tracker, fill);
            open = true;
            return capture;
        } finally {
            if (!open) {
                tracker.close();
                fill.ifPresent(LazyFill::close);
            }
        }
    }

    /** For a VM that booted: all that it ever used has changed. */
    public static RamCapture ofBooted(Path file, long lengthBytes, DirtyTracker tracker) throws IOException {
        RamCapture capture = open(file, lengthBytes, tracker, Optional.empty());
        boolean known = false;
        try {
            capture.takeAllForChanged();
            known = true;
            return capture;
        } finally {
            if (!known) {
                capture.close();
            }
        }
    }

    /**
     * For a VM whose RAM file holds this image, or will when the fill is done.
     *
     * @param tracker began to track before the VM could write
     * @param fill that brings the image while the VM runs; belongs to this from now on
     */
    public static RamCapture ofRestored(Path file, DirtyTracker tracker, ImageRef image, Optional<LazyFill> fill)
            throws IOException {
        RamCapture capture = open(file, image.lengthBytes(), tracker, fill);
        capture.base = Optional.of(image);
        return capture;
    }

    private void takeAllForChanged() throws IOException {
        PageSet used = new PageSet();
        DataRanges.of(file).forEach(range -> used.addBytes(range.offsetBytes(), range.lengthBytes()));
        changed.addAll(used);
        pending.addAll(used);
    }

    public DirtyTracker.Kind trackerKind() {
        return tracker.kind();
    }

    /**
     * Copies what changed while the VM runs, until there is little left to do or it does not get less, and has memory at hand
     * for the rest. An image that was stored and not revoked is taken for committed from here on. Of a VM whose RAM is still
     * being brought from the store nothing can be copied, so this waits until it is complete.
     *
     * @throws IOException if the tracker failed or there is no memory; nothing is lost, and the next call does it again
     */
    public void precopy() throws IOException, InterruptedException {
        if (fill.isPresent()) {
            // Reading pages that are missing would make them zero.
            fill.get().awaitFilled();
        }
        confirm();
        int before = Integer.MAX_VALUE;
        for (int round = 1; round <= MOST_ROUNDS; round++) {
            int pages = copyRound();
            log.debug("{}: round {} copied {} pages", file, round, pages);
            if (pages <= SMALL_ROUND_PAGES || pages > before / 4 * 3) {
                break;
            }
            before = pages;
        }
        pool.reserve(CUT_RESERVE_PAGES);
    }

    private void confirm() {
        if (unconfirmed != null) {
            base = Optional.of(unconfirmed);
            unconfirmed = null;
            changed.clear();
        }
    }

    /**
     * Copies the rest, of a VM that is paused and whose device state was saved: saving it writes to the RAM. The image is
     * complete when this returns.
     *
     * @return the number of pages copied
     */
    public int cut() throws IOException, InterruptedException {
        return copyRound();
    }

    private int copyRound() throws IOException, InterruptedException {
        PageSet written = new PageSet();
        boolean known = false;
        try {
            tracker.takeWritten(written);
            known = true;
        } finally {
            if (!known) {
                takeAllForChanged();
            }
        }
        changed.addAll(written);
        pending.addAll(written);
        int count = pending.pageCount();
        pending.forEachRun((first, pages) -> {
            for (int done = 0; done < pages; done += SLICE_PAGES) {
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while RAM was copied");
                }
                int slice = Math.min(SLICE_PAGES, pages - done);
                pool.copy(ram, first + done, slice);
                pending.remove(first + done, slice);
            }
        });
        return count;
    }

    /** The image as of the cut, for the store; valid until the next call of anything here. */
    public ImageInput image() {
        if (unconfirmed != null || !pending.isEmpty()) {
            throw new IllegalStateException("no cut of " + file + ", " + pending.pageCount() + " pages are not copied");
        }
        Source source = new Source();
        // Whole pages over a base: the store keeps few changed pages of a chunk alone.
        return base.<ImageInput>map(stored -> new ImageInput.Overlay(source, stored, changed.ranges()))
                .orElseGet(() -> new ImageInput.Sparse(source, changed.ranges(), ImageInput.DEFAULT_CHUNK_SIZE_BYTES));
    }

    /** Notes that the image of the cut is durable: the next one will build on it, unless it is revoked. Frees the copies. */
    public void stored(ImageRef image) {
        unconfirmed = image;
        pool.clear(CUT_RESERVE_PAGES);
    }

    /**
     * Gives up the checkpoint in hand, at any time: what it would have stored is due again, also if it was {@link #stored}
     * already but never committed, so that nobody keeps it. Frees the copies.
     */
    public void revoke() {
        unconfirmed = null;
        pending.addAll(changed);
        pool.clear(CUT_RESERVE_PAGES);
    }

    /** The pages in which the image differs from its base, for checks. */
    PageSet changed() {
        return changed;
    }

    /** Memory that the copies take, used or at hand. */
    public long heldBytes() {
        return pool.heldBytes();
    }

    @Override
    public void close() {
        fill.ifPresent(LazyFill::close);
        tracker.close();
        pool.close();
        ram.close();
    }

    private final class Source implements ImageSource {
        @Override
        public long lengthBytes() {
            return ram.lengthBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            pool.read(offsetBytes, target);
        }
    }
}
