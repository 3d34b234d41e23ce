package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.linux.Deadline;
import org.stillcut.agent.qemu.FakeQmpServer;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.agent.qemu.QmpClient;

@Timeout(20)
class MergeJobTest {

    private static final DiskLayer BASE = DiskLayer.base("disk0", Path.of("/d/disk0.raw"));
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final String RUNNING = "\"return\": {\"running\": true, \"status\": \"running\"}";
    private static final String DONE = "\"return\": {}";

    private Path directory;
    private @Nullable FakeQmpServer server;

    @BeforeEach
    void makeDirectory() throws Exception {
        directory = Files.createTempDirectory("stillcut-merge-");
    }

    @AfterEach
    void cleanUp() throws Exception {
        if (server != null) {
            server.close();
        }
        LabVm.delete(directory);
    }

    @Test
    void completionEndsTheJob() throws Exception {
        MergeJob job = job(client -> {
            client.answer(client.read(), RUNNING);
            client.answer(client.read(), DONE);
            client.write(event("BLOCK_JOB_COMPLETED", "merge-disk1", ""));
            client.write(event("BLOCK_JOB_COMPLETED", "merge-disk0", ""));
        });
        run(job, LONG);
        assertThat(job.mayRun()).isFalse();
    }

    @Test
    void completionWithErrorIsAFailure() throws Exception {
        MergeJob job = job(client -> {
            client.answer(client.read(), RUNNING);
            client.answer(client.read(), DONE);
            client.write(event("BLOCK_JOB_COMPLETED", "merge-disk0", ", \"error\": \"No space left on device\""));
            client.read();
        });
        assertThatThrownBy(() -> run(job, LONG))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("No space left on device");
        assertThat(job.mayRun()).isFalse();
    }

    @Test
    void jobThatMissesItsDeadlineIsCancelled() throws Exception {
        MergeJob job = job(client -> {
            client.answer(client.read(), RUNNING);
            client.answer(client.read(), DONE);
            String cancel = client.read();
            assertThat(cancel).contains("block-job-cancel");
            client.answer(cancel, DONE);
            client.write(event("BLOCK_JOB_CANCELLED", "merge-disk0", ""));
            client.read();
        });
        assertThatThrownBy(() -> run(job, SHORT)).isInstanceOf(DiskException.class);
        assertThat(job.mayRun()).isFalse();
    }

    @Test
    void jobThatEndedBeforeItsCancelDoesNotRun() throws Exception {
        MergeJob job = job(client -> {
            client.answer(client.read(), RUNNING);
            client.answer(client.read(), DONE);
            client.answer(client.read(), "\"error\": {\"class\": \"DeviceNotActive\", \"desc\": \"not found\"}");
            client.read();
        });
        assertThatThrownBy(() -> run(job, SHORT)).isInstanceOf(DiskException.class);
        assertThat(job.mayRun()).isFalse();
    }

    @Test
    void lostConnectionLeavesTheJobInDoubt() throws Exception {
        MergeJob job = job(client -> {
            client.answer(client.read(), RUNNING);
            client.answer(client.read(), DONE);
        });
        assertThatThrownBy(() -> run(job, LONG)).isInstanceOf(DiskException.class);
        assertThat(job.mayRun()).isTrue();
    }

    @Test
    void pausedVmIsNotMerged() throws Exception {
        MergeJob job = job(client -> {
            client.answer(client.read(), "\"return\": {\"running\": false, \"status\": \"paused\"}");
            client.read();
        });
        assertThatThrownBy(() -> run(job, LONG))
                .isInstanceOf(DiskException.class)
                .hasMessage("disk0: layers are not merged while the VM is paused");
        assertThat(job.mayRun()).isFalse();
    }

    private static void run(MergeJob job, Duration deadline) throws Exception {
        job.run(DiskLayer.overlay(BASE, 2), DiskLayer.overlay(BASE, 1), BASE, Deadline.after(deadline));
    }

    private MergeJob job(FakeQmpServer.Script afterGreeting) throws Exception {
        Path socket = directory.resolve("qmp.sock");
        server = FakeQmpServer.start(socket, client -> {
            client.greet();
            afterGreeting.run(client);
        });
        return new MergeJob(QmpClient.connect(socket, LONG), "disk0");
    }

    private static String event(String name, String job, String more) {
        return "{\"event\": \"" + name + "\", \"data\": {\"device\": \"" + job + "\"" + more + "}}\r\n";
    }
}
