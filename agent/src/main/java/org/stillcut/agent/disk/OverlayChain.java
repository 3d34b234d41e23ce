package org.stillcut.agent.disk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.Deadline;
import org.stillcut.agent.qemu.QmpClient;
import org.stillcut.agent.qemu.QmpException;
import org.stillcut.agent.qemu.QmpRefusedException;
import org.stillcut.agent.qemu.VmDisk;

/**
 * The layers of one VM disk. A checkpoint freezes what was written since the one before, by putting an empty overlay on
 * top:
 *
 * <pre>
 *   disk0.raw  <-  disk0.7.qcow2  <-  disk0.8.qcow2       at rest: base, and the overlay the guest writes to
 *                                     prepare()           disk0.9.qcow2 is made and opened, nothing refers to it
 *                                     switchAll()         paused: disk0.8 is frozen, the guest writes to disk0.9
 *                                     changes()           what all frozen layers since the last persisted one hold
 *                                     markPersisted()     the store has it
 *                                     merge()             disk0.8 goes into the base and its file away
 * </pre>
 *
 * <p>Layers that were frozen for a checkpoint which then failed stay unpersisted: {@link #changes} of the next checkpoint
 * has them too, and {@link #merge} keeps them apart from the base, which the store has. Among themselves it merges them,
 * so that the chain stays short however many checkpoints fail in a row.
 *
 * <p>A cut and a merge exclude each other, because QEMU cannot save its device state while a block job runs. The chain
 * enforces it: preparing is refused while it merges, and merging from prepare to switch or while the VM is not running.
 *
 * <p>Thread-safe in its state; the calls for one VM still have an order, which is the caller's. After a timeout in the
 * middle of a change the chain is lost, refuses everything, and its VM must be ended.
 */
public final class OverlayChain {

    private enum Phase {
        IDLE,
        PREPARED,
        MERGING,
        LOST
    }

    private static final Logger LOG = LoggerFactory.getLogger(OverlayChain.class);
    private static final Duration CREATE_DEADLINE = Duration.ofSeconds(30);

    private final String disk;
    private final long sizeBytes;
    private final CommandRunner commands;

    /** Base first; the last one is the layer the guest writes to. Guarded by this. */
    private final List<DiskLayer> layers = new ArrayList<>();

    /** Number of the newest layer that the store has, -1 if none. Guarded by this. */
    private int newestPersisted;

    private @Nullable DiskLayer prepared;
    private Phase phase = Phase.IDLE;

    private OverlayChain(DiskLayer base, long sizeBytes, BaseContent content, CommandRunner commands) {
        this.disk = base.disk();
        this.sizeBytes = sizeBytes;
        this.commands = commands;
        this.newestPersisted = switch (content) {
            case NEW -> -1;
            case PERSISTED -> base.number();
        };
        layers.add(base);
    }

    /**
     * Makes the chain of a VM that is about to start: its base, and an empty first overlay beside it. Overlays of an
     * earlier VM on the same base are deleted.
     *
     * @param disk the name, by which the guest finds the disk as its serial number
     * @param base a raw image of whole clusters, which belongs to this VM alone
     */
    public static OverlayChain create(String disk, Path base, BaseContent content, CommandRunner commands)
            throws DiskException, InterruptedException {
        DiskLayer bottom = DiskLayer.base(disk, base.toAbsolutePath());
        try {
            long sizeBytes = Files.size(base);
            if (sizeBytes == 0 || sizeBytes % JobDisk.CLUSTER_BYTES != 0) {
                throw new DiskException(disk, base + " has " + sizeBytes + " bytes, not whole clusters of 64 KiB");
            }
            deleteOverlays(bottom);
            OverlayChain chain = new OverlayChain(bottom, sizeBytes, content, commands);
            DiskLayer first = DiskLayer.overlay(bottom, 1);
            chain.createImage(first, bottom, CREATE_DEADLINE);
            chain.layers.add(first);
            return chain;
        } catch (IOException e) {
            throw new DiskException(disk, "its layers were not made: " + e.getMessage(), e);
        }
    }

    private static void deleteOverlays(DiskLayer base) throws IOException {
        Path directory = base.file().getParent();
        try (DirectoryStream<Path> old = Files.newDirectoryStream(directory, base.disk() + ".*.qcow2")) {
            for (Path overlay : old) {
                Files.delete(overlay);
            }
        }
    }

    public String disk() {
        return disk;
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    /** What the command line of the VM needs to open this chain; only before the first checkpoint. */
    public synchronized VmDisk attachment() {
        if (layers.size() != 2 || layers.getLast().number() != 1) {
            throw new IllegalStateException(disk + " has been checkpointed since its VM started");
        }
        DiskLayer base = layers.getFirst();
        DiskLayer overlay = layers.getLast();
        return new VmDisk(disk, base.file(), base.node(), overlay.file(), overlay.node());
    }

    /**
     * Makes the next overlay and opens it in QEMU; the guest's writes are not affected. To be done before the pause: it
     * takes 20 to 190 ms.
     *
     * @throws DiskException if it failed; then nothing is prepared and nothing left behind
     */
    public void prepare(QmpClient qmp, Duration deadline) throws DiskException, InterruptedException {
        Deadline end = Deadline.after(deadline);
        DiskLayer active = enter(Phase.PREPARED);
        DiskLayer next = DiskLayer.overlay(base(), active.number() + 1);
        Phase after = Phase.IDLE;
        try {
            createImage(next, active, end.remaining());
            after = Phase.LOST;
            qmp.execute("blockdev-add", openArguments(next), end.remaining());
            setPrepared(next);
            after = Phase.PREPARED;
        } catch (QmpRefusedException e) {
            after = Phase.IDLE;
            throw new DiskException(disk, "QEMU did not open the next overlay: " + e.description(), e);
        } catch (QmpException e) {
            throw new DiskException(disk, "whether QEMU opened the next overlay is not known", e);
        } finally {
            leave(after);
            if (after == Phase.IDLE) {
                delete(next);
            }
        }
    }

    /** Takes back {@link #prepare} when the checkpoint was given up before the switch. Does nothing if nothing is prepared. */
    public void abandonPrepared(QmpClient qmp, Duration deadline) throws DiskException, InterruptedException {
        requireKnown();
        DiskLayer unused = takePrepared();
        if (unused == null) {
            return;
        }
        try {
            qmp.execute("blockdev-del", Map.of("node-name", unused.node()), deadline);
            leave(Phase.IDLE);
            delete(unused);
        } catch (QmpException e) {
            leave(Phase.LOST);
            throw new DiskException(disk, "QEMU did not close the unused overlay", e);
        }
    }

    /**
     * Switches all disks of a paused VM to their prepared overlays, in one QMP transaction: all or none. Takes about 1
     * ms. When this returns, the layers below are frozen and flushed to their files.
     *
     * @throws DiskException if QEMU refused; then all of them are still prepared
     */
    public static void switchAll(QmpClient qmp, List<OverlayChain> chains, Duration deadline)
            throws DiskException, InterruptedException {
        if (chains.isEmpty()) {
            return;
        }
        List<Map<String, Object>> actions = new ArrayList<>();
        for (OverlayChain chain : chains) {
            actions.add(chain.switchAction());
        }
        try {
            qmp.execute("transaction", Map.of("actions", actions), deadline);
            chains.forEach(OverlayChain::switched);
        } catch (QmpRefusedException e) {
            throw new DiskException(chains.getFirst().disk, "QEMU did not switch the disks: " + e.description(), e);
        } catch (QmpException e) {
            chains.forEach(chain -> chain.leave(Phase.LOST));
            throw new DiskException(chains.getFirst().disk, "whether QEMU switched the disks is not known", e);
        }
    }

    /** All frozen layers that the store does not have yet, oldest first; several after failed checkpoints. */
    public synchronized List<DiskLayer> unpersisted() {
        return layers.subList(0, layers.size() - 1).stream()
                .filter(layer -> layer.number() > newestPersisted)
                .toList();
    }

    /** Opens what changed since the last persisted layer, see {@link #unpersisted}. */
    public DiskChanges changes(Duration deadline) throws DiskException, InterruptedException {
        return DiskChanges.open(unpersisted(), commands, deadline);
    }

    /**
     * Notes that the store has the content of a frozen layer and all below, and that a checkpoint refers to it. From now
     * on it is not among the changes, and may be merged.
     */
    public synchronized void markPersisted(DiskLayer newest) {
        if (!layers.subList(0, layers.size() - 1).contains(newest)) {
            throw new IllegalArgumentException(newest.node() + " is not a frozen layer of this disk");
        }
        newestPersisted = Math.max(newestPersisted, newest.number());
    }

    /**
     * Copies all persisted layers into the base, and all frozen layers that are not persisted into the oldest of them, and
     * deletes the files of those copied, while the guest runs on. Keeps the chain at three layers over any number of
     * checkpoints. Blocks until done.
     *
     * @return whether there was something to merge
     * @throws DiskException if it failed or missed its deadline and was cancelled; the layers are then still there and a
     *     repetition does it again
     */
    public boolean merge(QmpClient qmp, Duration deadline) throws DiskException, InterruptedException {
        Deadline end = Deadline.after(deadline);
        DiskLayer active = enter(Phase.MERGING);
        MergeJob job = new MergeJob(qmp, disk);
        try {
            boolean merged = false;
            for (List<DiskLayer> row : mergeable()) {
                job.run(active, row.getLast(), row.getFirst(), end);
                // The newest first: QEMU closes a layer only when none refers to it as its backing.
                for (DiskLayer layer : row.subList(1, row.size()).reversed()) {
                    discard(qmp, layer, end);
                }
                merged = true;
            }
            return merged;
        } finally {
            leave(job.mayRun() ? Phase.LOST : Phase.IDLE);
        }
    }

    /** Rows of frozen layers, oldest first, of which each can become one: those the store has, and those it has not. */
    private synchronized List<List<DiskLayer>> mergeable() {
        List<DiskLayer> frozen = layers.subList(0, layers.size() - 1);
        List<DiskLayer> persisted = frozen.stream()
                .filter(layer -> layer.number() <= newestPersisted)
                .toList();
        return Stream.of(persisted, unpersisted()).filter(row -> row.size() > 1).toList();
    }

    /** What a merge may have to copy: the length of the frozen overlays' files. */
    public synchronized long frozenOverlayBytes() throws DiskException {
        long bytes = 0;
        for (DiskLayer layer : layers.subList(1, layers.size() - 1)) {
            try {
                bytes += Files.size(layer.file());
            } catch (IOException e) {
                throw new DiskException(disk, "size of " + layer.file() + " is not known", e);
            }
        }
        return bytes;
    }

    /** The number of layers, base and active one included. */
    public synchronized int length() {
        return layers.size();
    }

    /** Forgets a merged layer. Its content is in the base now, so what goes wrong here costs only disk space. */
    private void discard(QmpClient qmp, DiskLayer layer, Deadline deadline) throws InterruptedException {
        synchronized (this) {
            layers.remove(layer);
        }
        try {
            qmp.execute("blockdev-del", Map.of("node-name", layer.node()), deadline.remaining());
            Files.deleteIfExists(layer.file());
        } catch (QmpException | IOException e) {
            LOG.warn("{}: merged layer {} was not removed", disk, layer.file(), e);
        }
    }

    private synchronized DiskLayer base() {
        return layers.getFirst();
    }

    private synchronized void requireKnown() throws DiskException {
        if (phase == Phase.LOST) {
            throw new DiskException(disk, "its layers are not known any more, the VM must be ended");
        }
    }

    /** Begins a change of the chain; returns the layer the guest writes to. */
    private synchronized DiskLayer enter(Phase next) throws DiskException {
        requireKnown();
        if (phase != Phase.IDLE) {
            throw new IllegalStateException(disk + " cannot become " + next + ", it is " + phase);
        }
        phase = next;
        return layers.getLast();
    }

    private synchronized void leave(Phase next) {
        phase = next;
    }

    private synchronized void setPrepared(DiskLayer layer) {
        prepared = layer;
    }

    private synchronized @Nullable DiskLayer takePrepared() {
        DiskLayer taken = prepared;
        prepared = null;
        return taken;
    }

    private synchronized Map<String, Object> switchAction() {
        if (prepared == null) {
            throw new IllegalStateException(disk + " has no prepared overlay");
        }
        Map<String, String> nodes = Map.of("node", layers.getLast().node(), "overlay", prepared.node());
        return Map.of("type", "blockdev-snapshot", "data", nodes);
    }

    private synchronized void switched() {
        DiskLayer next = Objects.requireNonNull(prepared, "switched without a prepared overlay");
        layers.add(next);
        prepared = null;
        phase = Phase.IDLE;
    }

    private static Map<String, Object> openArguments(DiskLayer layer) {
        Map<String, Object> arguments = new HashMap<>();
        arguments.put("driver", layer.format().driver());
        arguments.put("node-name", layer.node());
        // The transaction sets it; until then the layer below stays free to be written to.
        arguments.put("backing", null);
        // The same options as those of the first overlay, see QemuCommandLine.
        arguments.put("discard", "unmap");
        arguments.put("cache", Map.of("no-flush", true));
        arguments.put("file", Map.of("driver", "file", "filename", layer.file().toString()));
        return arguments;
    }

    /** Makes an empty overlay that only its owner can read. */
    private void createImage(DiskLayer layer, DiskLayer below, Duration deadline)
            throws DiskException, InterruptedException {
        CommandLine command = CommandLine.of(
                "qemu-img",
                "create",
                "-q",
                "-f",
                layer.format().driver(),
                // The layer below is in use and known to be good: it is not opened.
                "-u",
                "-b",
                below.fileName(),
                "-F",
                below.format().driver(),
                layer.file().toString(),
                Long.toString(sizeBytes));
        try {
            Files.createFile(
                    layer.file(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            commands.run(command, deadline);
        } catch (CommandException | IOException e) {
            throw new DiskException(disk, "overlay " + layer.file() + " was not made: " + e.getMessage(), e);
        }
    }

    private void delete(DiskLayer layer) {
        try {
            Files.deleteIfExists(layer.file());
        } catch (IOException e) {
            LOG.warn("{}: unused layer {} was not removed", disk, layer.file(), e);
        }
    }
}
