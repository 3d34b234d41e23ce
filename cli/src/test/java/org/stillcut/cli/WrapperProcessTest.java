package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.StreamObserver;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stillcut.v1.WatchJobResponse;

/**
 * The wrapper as a process of its own, between a user who sends signals and a coordinator. Where this machine's mpirun does the
 * same by itself, it is run beside.
 */
@Timeout(120)
class WrapperProcessTest {
    private final FakeCoordinator coordinator = new FakeCoordinator();
    private final CompletableFuture<StreamObserver<WatchJobResponse>> watcher = new CompletableFuture<>();
    private final List<Process> processes = new ArrayList<>();

    @TempDir
    private Path directory;

    WrapperProcessTest() throws IOException {
        coordinator.onWatch((_, observer) -> watcher.complete(observer));
    }

    @AfterEach
    void close() {
        processes.forEach(Process::destroyForcibly);
        coordinator.close();
    }

    /** A process of which the standard error is read line by line. */
    private record Running(Process process, BufferedReader err) {
        String line() throws IOException {
            return String.valueOf(err.readLine());
        }

        int status() throws InterruptedException {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            return process.exitValue();
        }
    }

    private Running start(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(directory.resolve("out").toFile());
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        Process process = builder.start();
        processes.add(process);
        return new Running(process, process.errorReader(StandardCharsets.UTF_8));
    }

    private Running wrapper(String... words) throws IOException {
        return wrapper(List.of(), words);
    }

    private Running wrapper(List<String> starter, String... words) throws IOException {
        List<String> command = new ArrayList<>(starter);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "org.stillcut.cli.MpirunMain",
                "--ckpt-coordinator=" + coordinator.address()));
        command.addAll(List.of(words));
        Running running = start(command);
        assertThat(running.line()).isEqualTo("stillcut: job heat-0001");
        return running;
    }

    private StreamObserver<WatchJobResponse> watching() throws Exception {
        return watcher.get(30, TimeUnit.SECONDS);
    }

    private void end(int status) throws Exception {
        watching().onNext(FakeCoordinator.state(Samples.ended(status)));
        watching().onCompleted();
    }

    private static void kill(String signal, Process process) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid())).start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }

    /** The real one ends its ranks and itself with status 1; the one in the VMs does, and the wrapper says how it ended. */
    @ParameterizedTest
    @CsvSource({"INT, 2", "TERM, 15", "HUP, 1"})
    void signalThatEndsMpirunEndsTheJobAndIsExplained(String signal, int number) throws Exception {
        Running real =
                start(List.of("/usr/bin/mpirun", "-H", "localhost:1", "-np", "1", "sh", "-c", "echo up; sleep 60"));
        awaitOutput();
        kill(signal, real.process());
        int status = real.status();
        assertThat(status).isEqualTo(1);

        Running wrapper = wrapper("-np", "2", "true");
        watching();
        kill(signal, wrapper.process());
        assertThat(wrapper.line()).startsWith("mpirun: signal " + number + " handed to job heat-0001; waiting");
        end(status);
        assertThat(wrapper.line()).isEqualTo("mpirun: job heat-0001 ended with status 1 after signal " + number);
        assertThat(wrapper.status()).isEqualTo(status);
        assertThat(coordinator.asked()).contains("signal heat-0001 " + number).doesNotContain("cancel heat-0001");
    }

    private void awaitOutput() throws Exception {
        for (int look = 0; look < 600; look++) {
            if (Files.size(directory.resolve("out")) > 0) {
                return;
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        throw new AssertionError("nothing was printed");
    }

    @ParameterizedTest
    @CsvSource({"USR1, 10", "USR2, 12", "CONT, 18"})
    void signalForTheRanksIsHandedOnAndTheJobGoesOn(String signal, int number) throws Exception {
        Running real = start(List.of(
                "/usr/bin/mpirun",
                "-H",
                "localhost:1",
                "-np",
                "1",
                "sh",
                "-c",
                "trap 'exit 3' " + signal + "; echo up; while :; do sleep 0.1; done"));
        awaitOutput();
        kill(signal, real.process());
        assertThat(real.line()).isEqualTo("mpirun: Forwarding signal " + number + " to job");
        assertThat(real.status()).isEqualTo(3);

        Running wrapper = wrapper("-np", "2", "true");
        watching();
        kill(signal, wrapper.process());
        assertThat(wrapper.line()).isEqualTo("mpirun: forwarding signal " + number + " to job heat-0001");
        assertThat(wrapper.process().isAlive()).isTrue();
        end(0);
        assertThat(wrapper.status()).isZero();
        assertThat(coordinator.asked()).contains("signal heat-0001 " + number);
    }

    @Test
    void stopReachesTheRanksIfOpenMpiWasToldToHandItOn() throws Exception {
        Running wrapper = wrapper("--mca", "orte_forward_job_control", "1", "-np", "2", "true");
        watching();
        kill("TSTP", wrapper.process());
        assertThat(wrapper.line()).isEqualTo("mpirun: forwarding signal 20 to job heat-0001");
        end(0);
        assertThat(wrapper.status()).isZero();
    }

    @Test
    void signalThatNohupKeepsAwayIsNotHeard() throws Exception {
        Running wrapper = wrapper(List.of("sh", "-c", "trap '' HUP; exec \"$@\"", "sh"), "-np", "2", "true");
        watching();
        kill("HUP", wrapper.process());
        kill("USR1", wrapper.process());
        assertThat(wrapper.line()).isEqualTo("mpirun: forwarding signal 10 to job heat-0001");
        end(0);
        assertThat(wrapper.status()).isZero();
        assertThat(coordinator.asked()).doesNotContain("signal heat-0001 1");
    }

    @Test
    void secondInterruptCancelsAndTheThirdDoesNotWait() throws Exception {
        Running wrapper = wrapper("-np", "2", "true");
        watching();
        kill("INT", wrapper.process());
        assertThat(wrapper.line()).contains("handed to job");
        kill("INT", wrapper.process());
        assertThat(wrapper.line()).isEqualTo("mpirun: signal 2 again: cancelling job heat-0001");
        kill("INT", wrapper.process());
        assertThat(wrapper.line()).startsWith("mpirun: not waiting for job heat-0001 any longer");
        assertThat(wrapper.status()).isEqualTo(130);
        assertThat(coordinator.asked()).contains("cancel heat-0001");
    }

    @Test
    void interruptWhileTheCoordinatorIsAwayIsExplained() throws Exception {
        Running wrapper = wrapper("-np", "2", "true");
        watching();
        coordinator.stop();
        kill("INT", wrapper.process());
        assertThat(wrapper.line()).startsWith("mpirun: job heat-0001 was not ended and goes on: no coordinator at ");
        assertThat(wrapper.status()).isEqualTo(130);
    }
}
