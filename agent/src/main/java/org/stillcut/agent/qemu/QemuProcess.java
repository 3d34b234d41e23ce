package org.stillcut.agent.qemu;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.Deadline;

/** The operating system's side of a VM: the QEMU process, what it complains about, and its end. Thread-safe. */
final class QemuProcess {

    private static final Logger LOG = LoggerFactory.getLogger(QemuProcess.class);
    private static final int COMPLAINTS_LIMIT_BYTES = 4096;

    /** A killed process may still have to unmap gigabytes of RAM. */
    private static final Duration KILL_DEADLINE = Duration.ofSeconds(10);

    /** After a process has ended its last words are in the pipe already. */
    private static final Duration LAST_WORDS_DEADLINE = Duration.ofSeconds(1);

    private static final Duration CONNECT_RETRY = Duration.ofMillis(2);

    private final String vm;
    private final Process process;
    private final OutputTail complaints = new OutputTail(COMPLAINTS_LIMIT_BYTES);
    private final Thread reader;

    private QemuProcess(String vm, Process process) {
        this.vm = vm;
        this.process = process;
        this.reader = Thread.ofVirtual().name(vm + "-stderr").unstarted(this::readComplaints);
    }

    /** Starts the program; returns before it has done anything. */
    static QemuProcess start(String vm, List<String> arguments, Map<String, String> environment) throws VmException {
        ProcessBuilder builder = new ProcessBuilder(arguments).redirectErrorStream(true);
        builder.environment().putAll(environment);
        LOG.debug("{}: starting {}", vm, arguments);
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            QemuProcess started = new QemuProcess(vm, process);
            started.reader.start();
            return started;
        } catch (IOException e) {
            throw new VmException(vm, "QEMU could not be started: " + e.getMessage(), e);
        }
    }

    /**
     * Connects to the monitor as soon as QEMU listens on it.
     *
     * @throws VmException if QEMU ended, or did not listen within the deadline
     */
    QmpClient connect(Path socket, Deadline deadline) throws VmException, InterruptedException {
        while (true) {
            try {
                return QmpClient.connect(socket, deadline.remaining());
            } catch (IOException e) {
                if (!process.isAlive()) {
                    throw new VmException(vm, "QEMU did not start: " + lastWords(), e);
                }
                if (deadline.isOver()) {
                    throw new VmException(vm, "QEMU did not open its monitor in time: " + lastWords(), e);
                }
                Thread.sleep(CONNECT_RETRY);
            } catch (QmpException e) {
                throw new VmException(vm, "QEMU did not start: " + lastWords(e), e);
            }
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Completes with the exit code; 137 after a SIGKILL. */
    CompletableFuture<Integer> exited() {
        return process.onExit().thenApply(Process::exitValue);
    }

    /** As {@link #lastWords()}; a closed monitor means that the process is just ending, so its end is waited for. */
    String lastWords(QmpException cause) throws InterruptedException {
        if (!(cause instanceof QmpClosedException)) {
            return cause.getMessage() + " (" + lastWords() + ")";
        }
        if (!process.waitFor(LAST_WORDS_DEADLINE.toNanos(), TimeUnit.NANOSECONDS)) {
            LOG.debug("{}: the monitor is closed but QEMU is still there", vm);
        }
        return lastWords();
    }

    /** What is known about the process, for messages: its exit code if it ended, and its last complaints. */
    String lastWords() throws InterruptedException {
        String state = "QEMU is running";
        if (!process.isAlive()) {
            reader.join(LAST_WORDS_DEADLINE);
            state = "exit code " + process.exitValue();
        }
        String words = complaints.oneLine();
        return words.isEmpty() ? state + ", no message" : state + ", " + words;
    }

    /**
     * Kills the process and waits for its end. Repeating it is harmless.
     *
     * @throws VmException if it is still there after 10 s, which means that the kernel is stuck with it
     */
    void kill() throws VmException {
        process.destroyForcibly();
        try {
            process.onExit().get(KILL_DEADLINE.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException | ExecutionException e) {
            throw new VmException(vm, "QEMU process " + pid() + " did not end " + KILL_DEADLINE + " after SIGKILL", e);
        }
    }

    private void readComplaints() {
        try {
            complaints.drain(process.getInputStream());
        } catch (IOException e) {
            LOG.debug("{}: reading QEMU's stderr ended", vm, e);
        }
    }
}
