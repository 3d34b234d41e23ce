package org.stillcut.coordinator.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.coordinator.JobRecord;

class JobCatalogTest {
    private static final JobId JOB = SampleRecords.JOB;
    private static final Instant CREATED = Instant.parse("2026-01-02T03:04:05.678Z");

    @TempDir
    private Path directory;

    private final JobDescription description = SampleJob.ofVms(3).description();

    private JobCatalog open() throws IOException {
        return JobCatalog.open(directory.resolve("catalog"));
    }

    @Test
    void newCatalogIsEmptyAndPrivate() throws IOException {
        try (JobCatalog catalog = open()) {
            assertThat(catalog.load()).isEmpty();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("catalog"))))
                .isEqualTo("rwx------");
    }

    @Test
    void jobIsThereWithAllItsRecordsAfterReopening() throws IOException {
        List<JobRecord> records = SampleRecords.all();
        try (JobCatalog catalog = open()) {
            catalog.create(JOB, description, CREATED, records.subList(0, 1));
            for (JobRecord record : records.subList(1, records.size())) {
                catalog.append(JOB, List.of(record));
            }
        }
        try (JobCatalog catalog = open()) {
            assertThat(catalog.load()).containsExactly(new StoredJob(JOB, description, CREATED, records));
        }
    }

    @Test
    void recordsStayInOrderOverManyLivesAndBeyondOneHexadecimalDigit() throws IOException {
        try (JobCatalog catalog = open()) {
            catalog.create(JOB, description, CREATED, List.of(SampleRecords.created()));
        }
        for (int life = 0; life < 5; life++) {
            try (JobCatalog catalog = open()) {
                catalog.load();
                for (int i = 0; i < 60; i++) {
                    long sequence = life * 60L + i + 1;
                    catalog.append(JOB, List.of(new JobRecord.CheckpointBegun(new CheckpointId(JOB, sequence))));
                }
            }
        }
        try (JobCatalog catalog = open()) {
            List<JobRecord> records = catalog.load().getFirst().records();
            assertThat(records).hasSize(301);
            for (int i = 1; i <= 300; i++) {
                assertThat(records.get(i)).isEqualTo(new JobRecord.CheckpointBegun(new CheckpointId(JOB, i)));
            }
        }
    }

    @Test
    void jobsWhoseIdsBeginAlikeAreKeptApart() throws IOException {
        JobId shorter = new JobId("solver-000");
        try (JobCatalog catalog = open()) {
            catalog.create(shorter, description, CREATED, List.of(new JobRecord.JobClosed()));
            catalog.create(JOB, description, CREATED, List.of(SampleRecords.created()));
            catalog.append(shorter, List.of(new JobRecord.VmsReady(1)));
        }
        try (JobCatalog catalog = open()) {
            List<StoredJob> jobs = catalog.load();
            assertThat(jobs).extracting(StoredJob::id).containsExactly(shorter, JOB);
            assertThat(jobs.get(0).records()).containsExactly(new JobRecord.JobClosed(), new JobRecord.VmsReady(1));
            assertThat(jobs.get(1).records()).containsExactly(SampleRecords.created());
        }
    }

    @Test
    void whatWasWrittenIsThereWithoutClosing() throws IOException {
        try (JobCatalog catalog = open()) {
            catalog.create(JOB, description, CREATED, List.of(SampleRecords.created()));
            // As after a crash: another place, the same files, no farewell.
            Path copy = directory.resolve("copy");
            Files.createDirectory(copy);
            try (var files = Files.list(directory.resolve("catalog"))) {
                for (Path file : files.toList()) {
                    Files.copy(file, copy.resolve(file.getFileName()));
                }
            }
            try (JobCatalog survivor = JobCatalog.open(copy)) {
                assertThat(survivor.load()).extracting(StoredJob::id).containsExactly(JOB);
            }
        }
    }

    @Test
    void networkIdIsTheSameEachTimeAndAfterReopening() throws IOException {
        Incarnation first = new Incarnation(JOB, 1);
        Incarnation second = new Incarnation(JOB, 2);
        int network;
        try (JobCatalog catalog = open()) {
            network = catalog.networkId(first);
            assertThat(catalog.networkId(first)).isEqualTo(network);
            assertThat(catalog.networkId(second)).isNotEqualTo(network);
        }
        try (JobCatalog catalog = open()) {
            assertThat(catalog.networkId(first)).isEqualTo(network);
        }
    }

    @Test
    void networkIdsDifferAndFitVxlan() throws IOException {
        Set<Integer> networks = new HashSet<>();
        for (int life = 0; life < 3; life++) {
            try (JobCatalog catalog = open()) {
                for (int i = 0; i < 20; i++) {
                    int network = catalog.networkId(new Incarnation(new JobId("job-" + life), i + 1));
                    assertThat(network).isBetween(4096, (1 << 24) - 1);
                    assertThat(networks.add(network))
                            .as("network %s is fresh", network)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void catalogThatIsOpenCannotBeOpenedAgain() throws IOException {
        try (JobCatalog first = open()) {
            assertThat(first.load()).isEmpty();
            assertThatThrownBy(this::open).isInstanceOf(IOException.class).hasMessageContaining("catalog");
        }
    }

    @Test
    void directoryThatIsAFileIsRefused() throws IOException {
        Files.writeString(directory.resolve("catalog"), "not a directory");
        assertThatThrownBy(this::open).isInstanceOf(IOException.class);
    }

    @Test
    void addressOfANodeIsTheOneItJoinedWithLastAndOutlivesTheCoordinator() throws IOException {
        AgentId node = new AgentId("n1");
        try (JobCatalog catalog = open()) {
            assertThat(catalog.address(node)).isEmpty();
            catalog.rememberAddress(node, "10.0.0.1");
            catalog.rememberAddress(node, "10.0.0.2");
        }
        try (JobCatalog catalog = open()) {
            assertThat(catalog.address(node)).contains("10.0.0.2");
        }
    }

    @Test
    void incarnationIsKnownToComeFromTheCheckpointItWasRestartedFrom() throws IOException {
        try (JobCatalog catalog = open()) {
            catalog.create(JOB, description, CREATED, List.of(SampleRecords.created()));
            catalog.append(
                    JOB,
                    List.of(
                            new JobRecord.RestartDecided(2, new CheckpointId(JOB, 5), SampleRecords.placement()),
                            new JobRecord.RestartDecided(3, new CheckpointId(JOB, 1), SampleRecords.placement())));
            assertThat(catalog.restartedFrom(new Incarnation(JOB, 1))).isEmpty();
            assertThat(catalog.restartedFrom(new Incarnation(JOB, 2))).contains(new CheckpointId(JOB, 5));
            assertThat(catalog.restartedFrom(new Incarnation(JOB, 3))).contains(new CheckpointId(JOB, 1));
        }
    }
}
