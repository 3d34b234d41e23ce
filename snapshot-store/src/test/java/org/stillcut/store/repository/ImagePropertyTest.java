package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.index.InMemoryChunkIndex;
import org.stillcut.store.io.SimulatedFiles;

/** Random sequences of writes, each read back bit for bit; the seed is in the failure. */
class ImagePropertyTest {

    private static final int SEQUENCES = 60;
    private static final Path ROOT = Path.of("/repository");

    @Test
    void everyImageReadsBackBitForBit() {
        long first = System.nanoTime();
        for (long seed = first; seed < first + SEQUENCES; seed++) {
            runSeed(seed);
        }
    }

    private static void runSeed(long seed) {
        try {
            run(new SplittableRandom(seed));
        } catch (StoreException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    private static void run(SplittableRandom random) throws StoreException {
        StoreEnvironment environment = new StoreEnvironment(new SimulatedFiles(), random.split(), () -> Instant.EPOCH);
        Repository.create(ROOT, environment);
        StoreOptions options =
                StoreOptions.DEFAULT.withPackTargetBytes(64 << 10).withWorkerThreads(1 + random.nextInt(3));
        Map<ImageRef, byte[]> written = new TreeMap<>(Comparator.comparing(ImageRef::root));
        try (Repository repository = Repository.open(ROOT, new InMemoryChunkIndex(), options, environment)) {
            ModelImage image = new ModelImage(random.nextInt(3_000_000));
            @Nullable ImageRef base = null;
            for (int round = 0; round < 3; round++) {
                try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("job", round, 1, 0))) {
                    // Several writes in one snapshot are the rounds of pre-copy: their bases are not durable yet.
                    for (int write = 0; write < 1 + random.nextInt(3); write++) {
                        base = writer.writeImage("image", next(image, base, random))
                                .ref();
                        written.put(base, image.bytes());
                    }
                    ImageRef last = base;
                    var manifest = repository.catalog().readSnapshot(writer.finish(new TreeMap<>()));
                    assertThat(manifest.images()).containsEntry("image", last);
                }
            }
            for (Map.Entry<ImageRef, byte[]> entry : written.entrySet()) {
                assertThat(ModelImage.readAll(repository.openImage(entry.getKey())))
                        .isEqualTo(entry.getValue());
            }
        }
    }

    private static ImageInput next(ModelImage image, @Nullable ImageRef base, SplittableRandom random) {
        if (base != null && random.nextInt(4) == 0) {
            int length = random.nextInt(3_000_000);
            image.resize(length);
        }
        List<ByteRange> changed = image.mutate(random, random.nextInt(6));
        int chunkSize = 4096 << random.nextInt(5);
        if (base == null) {
            return random.nextBoolean()
                    ? new ImageInput.Full(image.source(), chunkSize)
                    : new ImageInput.Sparse(image.sourceOf(changed), changed, chunkSize);
        }
        return switch (random.nextInt(5)) {
            case 0 -> new ImageInput.Full(image.source(), chunkSize);
            case 1, 2 -> new ImageInput.Dirty(image.source(), base, withExcess(changed, image));
            default -> new ImageInput.Overlay(image.sourceOf(changed), base, changed);
        };
    }

    /** A tracker may report more than changed, and past the end. */
    private static List<ByteRange> withExcess(List<ByteRange> changed, ModelImage image) {
        List<ByteRange> more = new ArrayList<>(changed);
        more.add(new ByteRange(image.lengthBytes() / 2, image.lengthBytes() + 1L));
        return more;
    }
}
