package org.stillcut.store.repository;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.random.RandomGenerator;
import org.stillcut.store.io.LocalFiles;
import org.stillcut.store.io.StoreFiles;

/**
 * What the store takes from the world.
 *
 * @param files where the repository is
 * @param random draws ids that must differ between all processes, so it must be seeded with enough entropy; thread-safe
 * @param clock for the creation time in manifests, which nothing decides by
 */
public record StoreEnvironment(StoreFiles files, RandomGenerator random, InstantSource clock) {

    /** The operating system's files, entropy and clock. */
    public static StoreEnvironment system() {
        return new StoreEnvironment(new LocalFiles(), new SecureRandom(), InstantSource.system());
    }
}
