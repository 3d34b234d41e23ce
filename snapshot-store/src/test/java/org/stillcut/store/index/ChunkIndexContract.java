package org.stillcut.store.index;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ChunkId;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.codec.Encoding;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackRecord;

/** What the store expects of every chunk index. */
abstract class ChunkIndexContract {

    static final PackId PACK = new PackId(-1, 2);
    private static final PackId OTHER = new PackId(3, 4);

    private ChunkIndex index;

    /** Opens the index; a second time with the content it had when it was closed. */
    abstract ChunkIndex open() throws StoreException;

    @BeforeEach
    void openIndex() throws StoreException {
        index = open();
    }

    @AfterEach
    void closeIndex() throws StoreException {
        index.close();
    }

    @Test
    void findsWhatWasAbsorbedAndNothingElse() throws StoreException {
        index.absorb(PACK, entries(1000));
        for (PackEntry entry : entries(1000)) {
            assertThat(index.find(entry.chunk())).contains(PackRecord.of(PACK, entry));
        }
        assertThat(index.find(id(1000))).isEmpty();
        assertThat(index.find(ChunkId.ZERO)).isEmpty();
        assertThat(index.absorbedPacks()).containsExactly(PACK);
    }

    @Test
    void findsManyAtOnceInTheirOrder() throws StoreException {
        index.absorb(PACK, entries(1000));
        List<ChunkId> wanted = List.of(id(999), id(1000), id(0), id(999));
        assertThat(index.findAll(wanted))
                .containsExactly(index.find(id(999)), Optional.empty(), index.find(id(0)), index.find(id(999)));
        assertThat(index.findAll(List.of())).isEmpty();
    }

    @Test
    void keepsItsContentWhenClosed() throws StoreException {
        index.absorb(PACK, entries(3));
        index.absorb(OTHER, List.of());
        index.close();
        index = open();
        assertThat(index.find(id(2))).isPresent();
        assertThat(index.absorbedPacks()).containsExactlyInAnyOrder(PACK, OTHER);
    }

    @Test
    void absorbingAgainChangesNothing() throws StoreException {
        index.absorb(PACK, entries(3));
        index.absorb(PACK, entries(3));
        assertThat(index.absorbedPacks()).containsExactly(PACK);
        assertThat(index.find(id(0))).isPresent();
    }

    @Test
    void forgetsEverythingAndLearnsAgain() throws StoreException {
        index.absorb(PACK, entries(3));
        index.clear();
        assertThat(index.find(id(0))).isEmpty();
        assertThat(index.absorbedPacks()).isEmpty();
        index.absorb(OTHER, entries(1));
        assertThat(index.find(id(0)))
                .hasValueSatisfying(found -> assertThat(found.pack()).isEqualTo(OTHER));
    }

    static List<PackEntry> entries(int count) {
        List<PackEntry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // Offsets beyond 2 GiB show whether the sign is handled.
            entries.add(new PackEntry(id(i), Encoding.RAW, 0xF000_0000L + i, 100 + i, 200 + i));
        }
        return entries;
    }

    static ChunkId id(int number) {
        return new ChunkId(number * 0x9E3779B97F4A7C15L, number, -number, 1);
    }
}
