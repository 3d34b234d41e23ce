package org.stillcut.systemtests.wire;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Stops processes and lets them go on, at once: starting a program for it would take longer than a frame is under way. */
public final class Processes {
    private static final int SIGCONT = 18;
    private static final int SIGSTOP = 19;
    private static final Duration STOPPED = Duration.ofSeconds(10);

    private static final char STOPPED_STATE = 'T';
    private static final char GONE = 'X';

    private Processes() {}

    /** Stops them all; none of their threads runs any more when this returns. */
    public static void stop(List<ProcessHandle> processes) throws IOException {
        for (ProcessHandle process : processes) {
            Linux.kill(process.pid(), SIGSTOP);
        }
        long deadline = System.nanoTime() + STOPPED.toNanos();
        for (ProcessHandle process : processes) {
            while (!isStopped(process.pid())) {
                if (System.nanoTime() > deadline) {
                    throw new IOException("process " + process.pid() + " does not stop");
                }
                Thread.onSpinWait();
            }
        }
    }

    public static void go(List<ProcessHandle> processes) throws IOException {
        for (ProcessHandle process : processes) {
            Linux.kill(process.pid(), SIGCONT);
        }
    }

    private static boolean isStopped(long pid) throws IOException {
        try (var threads = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            for (Path thread : threads.toList()) {
                char state = state(thread);
                if (state != STOPPED_STATE && state != GONE) {
                    return false;
                }
            }
            return true;
        }
    }

    /** From proc(5): the state is what follows the name, which may hold anything but ends with the last parenthesis. */
    private static char state(Path thread) throws IOException {
        try {
            String stat = Files.readString(thread.resolve("stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2);
        } catch (NoSuchFileException e) {
            return GONE;
        }
    }
}
