package org.stillcut.store.io;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.StoreMissingException;

/**
 * A file system in memory that can fail at any change and knows what a power cut leaves: bytes that were forced, names whose directory was synced,
 * and of the rest any part.
 */
public final class SimulatedFiles implements StoreFiles {

    /** How a change fails. */
    public enum Fault {
        /** No room for it, nor for any later one, until {@link #makeRoom}. */
        DISK_FULL,
        /** The machine is off from this change on; half of an append may have happened. */
        POWER_CUT
    }

    private sealed interface Node permits FileNode, DirectoryNode {}

    private static final class FileNode implements Node {
        private byte[] live = new byte[0];
        private byte[] durable = new byte[0];
    }

    private static final class DirectoryNode implements Node {
        private final TreeMap<String, Node> live = new TreeMap<>();
        private final TreeMap<String, Node> durable = new TreeMap<>();
    }

    private final DirectoryNode root;
    /** Who lives: locks do not outlast a kill or a power cut. */
    private final Set<Path> locked = new TreeSet<>();

    private int changes;
    private int faultAt = Integer.MAX_VALUE;
    private Fault fault = Fault.POWER_CUT;
    private boolean full;
    private boolean off;

    /** An empty disk. */
    public SimulatedFiles() {
        this(new DirectoryNode());
    }

    private SimulatedFiles(DirectoryNode root) {
        this.root = root;
    }

    /** Lets the change with this number, counted from now and from 0, fail. */
    public synchronized void failAt(int change, Fault kind) {
        changes = 0;
        faultAt = change;
        fault = kind;
    }

    /** The number of changes since {@link #failAt} or the beginning. */
    public synchronized int changes() {
        return changes;
    }

    /** Ends a full disk. */
    public synchronized void makeRoom() {
        full = false;
        faultAt = Integer.MAX_VALUE;
    }

    /** Flips one bit of a file, durably. */
    public synchronized void flipBit(Path file, long offsetBytes) throws StoreException {
        FileNode node = file(file);
        node.live[(int) offsetBytes] ^= 1;
        node.durable = node.live.clone();
    }

    /** Replaces the content of a file, durably. */
    public synchronized void overwrite(Path file, byte[] content) throws StoreException {
        FileNode node = file(file);
        node.live = content.clone();
        node.durable = content.clone();
    }

    /** The content of a file now. */
    public synchronized byte[] content(Path file) throws StoreException {
        return file(file).live.clone();
    }

    /** The disk as a process killed at this moment leaves it: everything written is there. */
    public synchronized SimulatedFiles afterKill() {
        return new SimulatedFiles((DirectoryNode) survive(root, new Survival(null, true)));
    }

    /** The disk after a power cut that took everything not made durable. */
    public synchronized SimulatedFiles afterPowerCut() {
        return new SimulatedFiles((DirectoryNode) survive(root, new Survival(null, false)));
    }

    /** The disk after a power cut that took an arbitrary part of what was not made durable. */
    public synchronized SimulatedFiles afterPowerCut(long seed) {
        return new SimulatedFiles((DirectoryNode) survive(root, new Survival(new SplittableRandom(seed), false)));
    }

    private record Survival(@Nullable SplittableRandom random, boolean everything) {
        boolean keepsLive() {
            return everything || (random != null && random.nextBoolean());
        }
    }

    private static Node survive(Node node, Survival survival) {
        return switch (node) {
            case FileNode file -> {
                FileNode survivor = new FileNode();
                survivor.live = survivingBytes(file, survival);
                survivor.durable = survivor.live;
                yield survivor;
            }
            case DirectoryNode directory -> {
                DirectoryNode survivor = new DirectoryNode();
                TreeMap<String, Node> names = new TreeMap<>(directory.durable);
                for (String name : union(directory)) {
                    Node live = directory.live.get(name);
                    if (live != directory.durable.get(name) && survival.keepsLive()) {
                        replace(names, name, live);
                    }
                }
                for (Map.Entry<String, Node> entry : names.entrySet()) {
                    survivor.live.put(entry.getKey(), survive(entry.getValue(), survival));
                }
                survivor.durable.putAll(survivor.live);
                yield survivor;
            }
        };
    }

    private static List<String> union(DirectoryNode directory) {
        TreeMap<String, Node> all = new TreeMap<>(directory.durable);
        all.putAll(directory.live);
        return List.copyOf(all.keySet());
    }

    private static void replace(Map<String, Node> names, String name, @Nullable Node node) {
        if (node == null) {
            names.remove(name);
        } else {
            names.put(name, node);
        }
    }

    private static byte[] survivingBytes(FileNode file, Survival survival) {
        if (survival.everything) {
            return file.live.clone();
        }
        if (survival.random == null || file.live.length == file.durable.length) {
            return file.durable.clone();
        }
        int length = survival.random.nextInt(file.durable.length, file.live.length + 1);
        byte[] bytes = Arrays.copyOf(file.live, length);
        // The file's length can reach the disk before its bytes do: then it ends in zeros.
        int written = survival.random.nextInt(file.durable.length, length + 1);
        Arrays.fill(bytes, written, length, (byte) 0);
        return bytes;
    }

    @Override
    public synchronized BlockFile create(Path file) throws StoreException {
        change("create", file);
        DirectoryNode parent = parent(file);
        if (parent.live.containsKey(name(file))) {
            throw new StoreIoException(file + " exists", null);
        }
        FileNode node = new FileNode();
        parent.live.put(name(file), node);
        return new OpenFile(file, node);
    }

    @Override
    public BlockFile createUncached(Path file) throws StoreException {
        return create(file);
    }

    @Override
    public synchronized BlockFile open(Path file) throws StoreException {
        checkPower();
        return new OpenFile(file, file(file));
    }

    @Override
    public synchronized void rename(Path from, Path to) throws StoreException {
        change("rename", from);
        FileNode node = file(from);
        parent(to).live.put(name(to), node);
        parent(from).live.remove(name(from));
    }

    @Override
    public synchronized boolean renameIfAbsent(Path from, Path to) throws StoreException {
        change("rename", from);
        FileNode node = file(from);
        if (parent(to).live.putIfAbsent(name(to), node) != null) {
            return false;
        }
        parent(from).live.remove(name(from));
        return true;
    }

    @Override
    public synchronized void delete(Path file) throws StoreException {
        boolean wasFull = full;
        // Removing needs no room, but it is a change like others for a power cut.
        if (fault == Fault.POWER_CUT) {
            change("delete", file);
        }
        full = wasFull;
        checkPower();
        parent(file).live.remove(name(file));
    }

    @Override
    public synchronized void createDirectory(Path directory) throws StoreException {
        change("create directory", directory);
        DirectoryNode parent = parent(directory);
        parent.live.putIfAbsent(name(directory), new DirectoryNode());
    }

    @Override
    public synchronized void syncDirectory(Path directory) throws StoreException {
        change("sync", directory);
        DirectoryNode node = directory(directory);
        node.durable.clear();
        node.durable.putAll(node.live);
    }

    @Override
    public synchronized List<String> list(Path directory) throws StoreException {
        checkPower();
        return List.copyOf(directory(directory).live.keySet());
    }

    @Override
    public synchronized Optional<StoreLock> tryLock(Path file) throws StoreException {
        checkPower();
        if (locked.contains(file)) {
            return Optional.empty();
        }
        if (!parent(file).live.containsKey(name(file))) {
            create(file).close();
        }
        locked.add(file);
        return Optional.of(() -> unlock(file));
    }

    @Override
    public synchronized StoreLock createLocked(Path file, Path temporary) throws StoreException {
        create(temporary).close();
        rename(temporary, file);
        locked.add(file);
        return () -> unlock(file);
    }

    private synchronized void unlock(Path file) {
        locked.remove(file);
    }

    /** Lets all who hold a lock now be dead for those who look, as other processes that were killed. */
    public synchronized void killLockHolders() {
        locked.clear();
    }

    private void change(String action, Path path) throws StoreException {
        checkPower();
        boolean fails = changes++ == faultAt;
        if (full || (fails && fault == Fault.DISK_FULL)) {
            full = true;
            throw new StoreFullException("simulated: no room to " + action + " " + path, null);
        }
        if (fails) {
            off = true;
            throw new StoreIoException("simulated: power cut at " + action + " " + path, null);
        }
    }

    private void checkPower() throws StoreException {
        if (off) {
            throw new StoreIoException("simulated: the machine is off", null);
        }
    }

    private DirectoryNode parent(Path path) throws StoreException {
        return directory(path.getParent());
    }

    private DirectoryNode directory(@Nullable Path path) throws StoreException {
        DirectoryNode node = root;
        if (path == null) {
            return node;
        }
        for (Path name : path) {
            if (!(node.live.get(name.toString()) instanceof DirectoryNode child)) {
                throw new StoreMissingException("no directory " + path, null);
            }
            node = child;
        }
        return node;
    }

    private FileNode file(Path path) throws StoreException {
        if (parent(path).live.get(name(path)) instanceof FileNode file) {
            return file;
        }
        throw new StoreMissingException("no file " + path, null);
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    private final class OpenFile implements BlockFile {

        private final Path path;
        private final FileNode node;

        private OpenFile(Path path, FileNode node) {
            this.path = path;
            this.node = node;
        }

        @Override
        public void append(ByteBuffer source) throws StoreException {
            synchronized (SimulatedFiles.this) {
                try {
                    change("append", path);
                } catch (StoreException e) {
                    put(source.slice(source.position(), source.remaining() / 2));
                    throw e;
                }
                put(source);
            }
        }

        private void put(ByteBuffer source) {
            int length = node.live.length;
            node.live = Arrays.copyOf(node.live, length + source.remaining());
            source.get(node.live, length, source.remaining());
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws StoreException {
            synchronized (SimulatedFiles.this) {
                checkPower();
                if (offsetBytes + target.remaining() > node.live.length) {
                    throw new StoreCorruptException(Damage.SHORT, path + " ends at " + node.live.length);
                }
                target.put(node.live, (int) offsetBytes, target.remaining());
            }
        }

        @Override
        public long lengthBytes() throws StoreException {
            synchronized (SimulatedFiles.this) {
                checkPower();
                return node.live.length;
            }
        }

        @Override
        public void force() throws StoreException {
            synchronized (SimulatedFiles.this) {
                change("force", path);
                node.durable = node.live.clone();
            }
        }

        @Override
        public void close() {}
    }
}
