package org.stillcut.agent.gang;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.slf4j.MDC;

/** Does the same with several VMs at the same time, a virtual thread for each. */
final class AllVms {
    private AllVms() {}

    /** What is done with one VM. */
    @FunctionalInterface
    interface Action<T> {
        void run(T vm) throws Exception;
    }

    /**
     * Returns when all are done, whatever became of them; an interruption is handed on to those at work.
     *
     * @throws StepException the first failure; the others are suppressed in it
     */
    static <T> void each(String name, Collection<T> vms, Action<T> action) throws StepException, InterruptedException {
        List<FutureTask<Void>> tasks = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        // What is logged for one VM is about the same job and checkpoint.
        Map<String, String> fields = Objects.requireNonNullElse(MDC.getCopyOfContextMap(), Map.of());
        for (T vm : vms) {
            FutureTask<Void> task = new FutureTask<>(() -> {
                MDC.setContextMap(fields);
                action.run(vm);
                return null;
            });
            tasks.add(task);
            threads.add(Thread.ofVirtual().name(name + "-" + vm).start(task));
        }
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            threads.forEach(Thread::interrupt);
            joinUninterruptibly(threads);
            throw e;
        }
        throwFailures(tasks);
    }

    /** Two works must never touch a VM at the same time, so not even an interruption ends the wait for the threads. */
    private static void joinUninterruptibly(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void throwFailures(List<FutureTask<Void>> tasks) throws StepException, InterruptedException {
        List<StepException> failures = new ArrayList<>();
        for (FutureTask<Void> task : tasks) {
            try {
                task.get();
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case Error error -> throw error;
                    case Exception cause -> failures.add(StepException.of(cause));
                    case null, default -> throw new IllegalStateException(e);
                }
            }
        }
        if (!failures.isEmpty()) {
            StepException first = failures.removeFirst();
            failures.forEach(first::addSuppressed);
            throw first;
        }
    }
}
