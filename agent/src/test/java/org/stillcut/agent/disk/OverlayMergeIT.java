package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.agent.qemu.LabVm.DEADLINE;

import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.qemu.EventWatch;

/** Chains of layers over many checkpoints, those that succeed and those that fail. */
@Timeout(60)
class OverlayMergeIT extends DiskLab {

    @Test
    void mergePutsPersistedLayersIntoTheBaseAndKeepsTheOthers() throws Exception {
        write(1, 0x11);
        cut();
        write(2, 0x22);
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        write(3, 0x33);
        cut();
        write(4, 0x44);

        assertThat(chain.merge(vm.qmp(), DEADLINE)).isTrue();

        assertThat(chain.unpersisted()).extracting(DiskLayer::number).containsExactly(3);
        assertThat(directory.resolve("disk0.1.qcow2")).doesNotExist();
        assertThat(directory.resolve("disk0.2.qcow2")).doesNotExist();
        assertThat(byteAt(1)).isEqualTo(0x11);
        assertThat(byteAt(2)).isEqualTo(0x22);
        assertThat(byteAt(3)).isZero();
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes)).isEqualTo(Map.of(3L, 0x33));
        }
        for (int i = 1; i <= 4; i++) {
            assertGuestReads(i, 0x11 * i);
        }
        assertThat(chain.merge(vm.qmp(), DEADLINE)).isFalse();
    }

    @Test
    void chainStaysShortOverManyCheckpoints() throws Exception {
        int rounds = 40;
        for (int i = 0; i < rounds; i++) {
            write(i, i + 1);
            cut();
            chain.markPersisted(chain.unpersisted().getLast());
            chain.merge(vm.qmp(), DEADLINE);
        }
        try (var files = Files.list(directory)) {
            assertThat(files.filter(file -> file.toString().endsWith(".qcow2"))).hasSize(1);
        }
        assertThat(vm.qmp().execute("query-named-block-nodes", Map.of("flat", true), DEADLINE))
                .as("two layers, each with its file")
                .hasSize(4);
        for (int i = 0; i < rounds; i++) {
            assertThat(byteAt(i)).isEqualTo(i + 1);
        }
    }

    @Test
    void chainStaysShortWhileEveryCheckpointFails() throws Exception {
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        write(1, 0x11);
        chain.merge(vm.qmp(), DEADLINE);
        int rounds = 30;
        for (int i = 0; i < rounds; i++) {
            write(10 + i, i + 1);
            write(2, i + 1);
            cut();
            chain.merge(vm.qmp(), DEADLINE);
            assertThat(chain.length()).isLessThanOrEqualTo(3);
        }
        monitor("write -z -u " + 10 * CLUSTER + " " + CLUSTER);
        cut();
        chain.merge(vm.qmp(), DEADLINE);
        assertThat(chain.unpersisted()).hasSize(1);
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes))
                    .hasSize(rounds + 2)
                    .containsEntry(1L, 0x11)
                    .containsEntry(2L, rounds)
                    .containsEntry(10L, 0)
                    .containsEntry(9L + rounds, rounds);
        }
        assertThat(byteAt(1)).as("the base, which the store has").isZero();
        assertThat(vm.qmp().execute("query-named-block-nodes", Map.of("flat", true), DEADLINE))
                .as("three layers, each with its file")
                .hasSize(6);
        chain.markPersisted(chain.unpersisted().getLast());
        chain.merge(vm.qmp(), DEADLINE);
        assertThat(chain.length()).isEqualTo(2);
        assertThat(byteAt(2)).isEqualTo(rounds);
        assertGuestReads(9 + rounds, rounds);
        assertGuestReads(10, 0);
    }

    @Test
    void chainStaysShortIfNoCheckpointEverSucceeded() throws Exception {
        for (int i = 0; i < 5; i++) {
            write(i, i + 1);
            cut();
            chain.merge(vm.qmp(), DEADLINE);
        }
        assertThat(chain.length()).isEqualTo(2);
        assertThat(chain.unpersisted()).extracting(DiskLayer::number).containsExactly(0);
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes))
                    .containsEntry(0L, 1)
                    .containsEntry(4L, 5)
                    .hasSize((int) (SIZE / CLUSTER));
        }
    }

    @Test
    void cutsAndMergesExcludeEachOther() throws Exception {
        chain.prepare(vm.qmp(), DEADLINE);
        assertThatThrownBy(() -> chain.merge(vm.qmp(), DEADLINE)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> chain.prepare(vm.qmp(), DEADLINE)).isInstanceOf(IllegalStateException.class);
        vm.pause(DEADLINE);
        OverlayChain.switchAll(vm.qmp(), List.of(chain), DEADLINE);
        chain.markPersisted(chain.unpersisted().getLast());
        assertThatThrownBy(() -> chain.merge(vm.qmp(), DEADLINE))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("paused");
        vm.resume(DEADLINE);
        assertThat(chain.merge(vm.qmp(), DEADLINE)).isTrue();
    }

    @Test
    void refusedMergeHarmsNothingAndCanBeRepeated() throws Exception {
        fillDisk();
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        // A slow job of the same name is in the way.
        vm.qmp()
                .execute(
                        "block-commit",
                        Map.of(
                                "job-id", "merge-disk0",
                                "device", "disk0.2",
                                "top-node", "disk0.1",
                                "base-node", "disk0.0",
                                "speed", 65536),
                        DEADLINE);
        assertThatThrownBy(() -> chain.merge(vm.qmp(), DEADLINE)).isInstanceOf(DiskException.class);
        try (EventWatch end = vm.qmp().watch("cancel", event -> event.name().equals("BLOCK_JOB_CANCELLED"))) {
            vm.qmp().execute("block-job-cancel", Map.of("device", "merge-disk0", "force", true), DEADLINE);
            end.await(DEADLINE);
        }
        assertThat(chain.merge(vm.qmp(), DEADLINE)).isTrue();
        assertThat(byteAt(9)).isEqualTo(0x5a);
    }
}
