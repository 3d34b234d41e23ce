package org.stillcut.agent.capture;

import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.store.SnapshotManifest;

/**
 * What a VM boots: the kernel, the initial RAM disk and the root file system. A snapshot fits only the very files it was taken with, so they are known by
 * their digests. Immutable.
 */
public record BootFiles(BootFile kernel, BootFile initrd, BootFile root) {
    static final String KERNEL = "boot.kernel";
    static final String INITRD = "boot.initrd";
    static final String ROOT = "boot.root";

    /**
     * One of the files.
     *
     * @param sha256 of its content, hexadecimal
     */
    public record BootFile(Path file, String sha256) {}

    /** Tells these files from any others. */
    public String digest() {
        return kernel.sha256() + initrd.sha256() + root.sha256();
    }

    /** Whether a snapshot was stored with what its VM booted. */
    public static boolean areIn(SnapshotManifest snapshot) {
        return snapshot.images().containsKey(KERNEL);
    }

    /** The files by the names of their images in a snapshot. */
    SortedMap<String, BootFile> byImage() {
        SortedMap<String, BootFile> files = new TreeMap<>();
        files.put(KERNEL, kernel);
        files.put(INITRD, initrd);
        files.put(ROOT, root);
        return files;
    }
}
