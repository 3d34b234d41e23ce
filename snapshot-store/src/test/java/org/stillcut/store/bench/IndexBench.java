package org.stillcut.store.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.stillcut.store.ChunkId;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.codec.Encoding;
import org.stillcut.store.index.RocksChunkIndex;
import org.stillcut.store.pack.PackEntry;

/** The chunk index with many chunks: how fast it learns and answers, and what it takes. Arguments: an empty directory; millions of chunks; {@code --json}. */
final class IndexBench {

    private static final int PACK_CHUNKS = 16_384;
    private static final int LOOKUPS = 512;
    private static final int LOOKUP_ROUNDS = 1_000;
    private static final long CACHE_BYTES = 32L << 20;

    private IndexBench() {}

    public static void main(String[] arguments) throws StoreException, IOException {
        Path directory = Path.of(arguments[0]).resolve("index");
        long chunks = Long.parseLong(arguments[1]) * 1_000_000;
        boolean json = arguments.length > 2;
        try (RocksChunkIndex index = RocksChunkIndex.open(directory, "bench", CACHE_BYTES)) {
            long start = System.nanoTime();
            for (long first = 0; first < chunks; first += PACK_CHUNKS) {
                index.absorb(new PackId(first, 1), entries(first, (int) Math.min(PACK_CHUNKS, chunks - first)));
            }
            tell(json, "insert", (double) chunks / seconds(start), "chunks/s");
            tell(json, "find_hit", lookups(index, chunks, 0), "chunks/s");
            tell(json, "find_miss", lookups(index, chunks, chunks), "chunks/s");
        }
        tell(json, "resident", residentBytes() / 1e6, "MB");
        tell(json, "disk", BenchInput.treeBytes(directory) / 1e6, "MB");
    }

    private static double lookups(RocksChunkIndex index, long chunks, long offset) throws StoreException {
        SplittableRandom random = new SplittableRandom(3);
        long start = System.nanoTime();
        for (int round = 0; round < LOOKUP_ROUNDS; round++) {
            List<ChunkId> wanted = new ArrayList<>(LOOKUPS);
            for (int i = 0; i < LOOKUPS; i++) {
                wanted.add(id(offset + random.nextLong(chunks)));
            }
            boolean expected = offset == 0;
            if (!index.findAll(wanted).stream().allMatch(found -> found.isPresent() == expected)) {
                throw new IllegalStateException("a wrong answer in round " + round);
            }
        }
        return LOOKUPS * (double) LOOKUP_ROUNDS / seconds(start);
    }

    private static List<PackEntry> entries(long first, int count) {
        List<PackEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(new PackEntry(id(first + i), Encoding.ZSTD, 32 + i * 4096L, 4000, 65_536));
        }
        return entries;
    }

    /** Different for each number, and as spread as a digest. */
    private static ChunkId id(long number) {
        SplittableRandom random = new SplittableRandom(number);
        return new ChunkId(random.nextLong(), random.nextLong(), random.nextLong(), number);
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private static long residentBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
            }
        }
        return 0;
    }

    private static void tell(boolean json, String metric, double value, String unit) {
        System.out.printf(
                Locale.ROOT,
                json
                        ? "{\"bench\":\"index\",\"metric\":\"%s\",\"value\":%.0f,\"unit\":\"%s\",\"n\":1}%n"
                        : "%-10s %12.0f %s%n",
                metric,
                value,
                unit);
    }
}
