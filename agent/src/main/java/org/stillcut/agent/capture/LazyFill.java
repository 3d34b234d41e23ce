package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.DataRanges;
import org.stillcut.agent.linux.MemoryBlock;
import org.stillcut.agent.linux.MissingPages;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;

/**
 * Brings a VM's RAM from the store while the VM runs. One thread reads whatever the VM touches that is not there yet, while the
 * VM waits; from {@link #fillRest} on another one reads all the rest, pages of zeros last, until no page is missing.
 *
 * <p>If a page cannot be had, the VM is stopped: it could go on only with a wrong one. It is held at the missing page until it
 * has ended.
 *
 * <p>Thread-safe. Until it is {@linkplain #awaitFilled filled} the RAM file must not be mapped and read by others.
 */
public final class LazyFill implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LazyFill.class);

    /** What the store hands over at once, at most; larger pieces are put in one after the other. */
    private static final int BLOCK_BYTES = 1 << 20;

    private final Path file;
    private final MissingPages pages;
    private final StoredRam image;
    private final Consumer<String> stopVm;
    private final BlockingQueue<MemoryBlock> blocks = new LinkedBlockingQueue<>();
    private final CompletableFuture<Void> filled = new CompletableFuture<>();
    private final Thread server;
    private final Thread filler;
    private volatile boolean closing;
    private volatile @Nullable String failure;

    private LazyFill(Path file, MissingPages pages, StoredRam image, Consumer<String> stopVm) {
        this.file = file;
        this.pages = pages;
        this.image = image;
        this.stopVm = stopVm;
        this.server = Thread.ofPlatform().daemon().name("serve-" + file).unstarted(this::serve);
        this.filler = Thread.ofPlatform().daemon().name("fill-" + file).unstarted(this::fill);
    }

    /**
     * Begins with what is touched; the VM may touch its RAM from now on.
     *
     * @param file the RAM, of the right size and without pages
     * @param pages of it, which belong to this from now on
     * @param stopVm called once, by a thread of this, if the RAM cannot be completed: with the reason, in one line
     */
    static LazyFill begin(Path file, MissingPages pages, StoredRam image, Consumer<String> stopVm) {
        LazyFill fill = new LazyFill(file, pages, image, stopVm);
        fill.server.start();
        return fill;
    }

    /**
     * Begins with all the rest, once. Before, the VM should have got its device state: that is a matter of milliseconds, unless
     * it has to share the processors with this.
     */
    public void fillRest() {
        filler.start();
    }

    /** Why the RAM cannot be completed, once that is known. */
    public Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    public boolean isFilled() {
        return filled.isDone() && !filled.isCompletedExceptionally();
    }

    /**
     * Waits until no page is missing, which takes {@link #fillRest}.
     *
     * @throws IOException if that will never be
     */
    public void awaitFilled() throws IOException, InterruptedException {
        try {
            filled.get();
        } catch (ExecutionException e) {
            throw new IOException(failure().orElse("the RAM was not filled"), e);
        }
    }

    /** Some touches are told of only after their page is there, so it goes on to the end of the VM. */
    private void serve() {
        ByteBuffer bytes = ByteBuffer.allocate(image.chunkBytes());
        try (MemoryBlock block = new MemoryBlock(bytes.capacity())) {
            boolean more = true;
            while (more) {
                more = pages.await(offset -> {
                    long start = offset - offset % bytes.capacity();
                    bytes.clear().limit((int) Math.min(bytes.capacity(), pages.lengthBytes() - start));
                    readTouched(start, bytes);
                    put(start, bytes.flip(), block);
                });
            }
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
        }
    }

    /** Once all is there, the store may have forgotten the image; what is put in then is not used. */
    private void readTouched(long offsetBytes, ByteBuffer target) throws IOException {
        if (isFilled()) {
            target.put(new byte[target.remaining()]);
            return;
        }
        try {
            image.read(offsetBytes, target);
        } catch (StoreException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private void put(long offsetBytes, ByteBuffer bytes, MemoryBlock block) throws IOException {
        int length = bytes.remaining();
        block.write(bytes);
        pages.put(offsetBytes, block, length);
    }

    private void fill() {
        long began = System.nanoTime();
        try {
            image.readTo(this::putPiece);
            putZeros();
            log.info("{} is complete after {} ms", file, (System.nanoTime() - began) / 1_000_000);
            filled.complete(null);
        } catch (StoreException | IOException | RuntimeException | Error e) {
            fail(e);
        }
    }

    /** Called by the store's threads. */
    private void putPiece(long offsetBytes, ByteBuffer bytes) throws IOException {
        if (closing || failure != null) {
            throw new IOException("the fill was ended");
        }
        MemoryBlock idle = blocks.poll();
        MemoryBlock block = idle == null ? new MemoryBlock(BLOCK_BYTES) : idle;
        try {
            int start = bytes.position();
            int length = bytes.remaining();
            for (int done = 0; done < length; done += BLOCK_BYTES) {
                put(offsetBytes + done, bytes.slice(start + done, Math.min(BLOCK_BYTES, length - done)), block);
            }
        } finally {
            blocks.add(block);
        }
    }

    /** Whatever the store did not have: without it the VM would need this process for as long as it runs. */
    private void putZeros() throws IOException {
        try (MemoryBlock zeros = new MemoryBlock(BLOCK_BYTES)) {
            long position = 0;
            for (DataRanges.Range there : DataRanges.of(file)) {
                putZeros(position, there.offsetBytes(), zeros);
                position = there.offsetBytes() + there.lengthBytes();
            }
            putZeros(position, pages.lengthBytes(), zeros);
        }
        if (!DataRanges.of(file).equals(List.of(new DataRanges.Range(0, pages.lengthBytes())))) {
            throw new IOException("pages are missing in " + file + " that were put in");
        }
    }

    private void putZeros(long from, long to, MemoryBlock zeros) throws IOException {
        for (long at = from; at < to; at += BLOCK_BYTES) {
            if (closing || failure != null) {
                throw new IOException("the fill was ended");
            }
            pages.put(at, zeros, Math.min(BLOCK_BYTES, to - at));
        }
    }

    /** The first reason counts; a VM that has ended, or is about to, needs no more pages. */
    private void fail(Throwable cause) {
        synchronized (this) {
            if (closing || failure != null || isGone(cause)) {
                log.debug("{}: the fill was ended", file, cause);
                filled.completeExceptionally(new IOException("the fill of " + file + " was ended", cause));
                return;
            }
            failure = "its RAM cannot be brought from the store: " + reason(cause);
        }
        log.error("{}: {}", file, failure, cause);
        filled.completeExceptionally(new IOException(failure, cause));
        stopVm.accept(failure);
    }

    private static boolean isGone(Throwable failure) {
        return failure instanceof MissingPages.ProcessGoneException
                || (failure.getCause() != null && isGone(failure.getCause()));
    }

    /** The store's message says which chunk; what the sink failed with is its cause. */
    private static String reason(Throwable failure) {
        String message = Objects.toString(failure.getMessage(), failure.toString());
        return failure instanceof StoreIoException && failure.getCause() != null
                ? message + ": " + failure.getCause().getMessage()
                : message;
    }

    /** Ends the fill; may be repeated. A VM that still lacks pages must have ended before. */
    @Override
    public void close() {
        synchronized (this) {
            if (closing) {
                return;
            }
            closing = true;
        }
        pages.stop();
        joinUninterruptibly(server);
        joinUninterruptibly(filler);
        pages.close();
        blocks.forEach(MemoryBlock::close);
    }

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
