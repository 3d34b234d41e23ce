package org.stillcut.agent.runtime;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.gang.GangSteps;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.protocol.Incarnation;

/**
 * Sends what jobs have changed in their directories to the coordinator. That mpirun has ended is told only when the files are
 * there: once it is told the VMs are destroyed. Thread-safe; the work is done in threads of its own.
 */
final class FilesDelivery {
    private static final Logger log = LoggerFactory.getLogger(FilesDelivery.class);

    /** A VM that is lost is known as such by then; what it printed last goes with it, and the job is restarted. */
    private static final int MOST_TRIES = 5;

    /** For a coordinator that is away, a day: its session, when it is back, has the guest say again that the job has ended. */
    private static final int MOST_WAITS = 86_400;

    private final CoordinatorLink coordinator;
    private final Duration pause;
    private final Set<Incarnation> ending = ConcurrentHashMap.newKeySet();

    /** @param pause between two tries */
    FilesDelivery(CoordinatorLink coordinator, Duration pause) {
        this.coordinator = coordinator;
        this.pause = pause;
    }

    /** The job's mpirun has ended: its files are delivered, then its end is told. May be repeated. */
    void atEnd(GangSteps gang, int exitStatus) {
        Incarnation incarnation = gang.incarnation();
        if (ending.add(incarnation)) {
            Thread.ofVirtual().name("files-" + incarnation).start(() -> {
                try {
                    deliverAtEnd(gang);
                    coordinator.jobExited(incarnation, exitStatus);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                } finally {
                    ending.remove(incarnation);
                }
            });
        }
    }

    /** Whether the job's mpirun has ended, and nobody was told yet. */
    boolean isEnding(Incarnation incarnation) {
        return ending.contains(incarnation);
    }

    /** Tries until the coordinator has the files, knows why there are none, or was there and took them none of the times. */
    private void deliverAtEnd(GangSteps gang) throws InterruptedException {
        int tries = 0;
        for (int waits = 0; tries < MOST_TRIES && waits < MOST_WAITS; waits++) {
            try {
                if (coordinator.deliverFiles(
                        gang.incarnation(), CoordinatorLink.AT_END, sink -> gang.changedFiles(true, List.of(), sink))) {
                    return;
                }
                tries++;
            } catch (IOException e) {
                log.warn("{}: files not delivered: {}", gang.incarnation(), e.getMessage());
                tries += coordinator.isConnected() ? 1 : 0;
            }
            Thread.sleep(pause);
        }
    }

    /** Somebody asks for the files of a running job; the coordinator hears it too if that fails. */
    void onDemand(GangSteps gang, FilesRequest request) {
        Thread.ofVirtual()
                .name("files-" + gang.incarnation() + "-" + request.number())
                .start(() -> {
                    try {
                        boolean whole = coordinator.deliverFiles(gang.incarnation(), request.number(), sink -> {
                            // The guest sends one thing at a time, and what the job leaves comes first.
                            if (isEnding(gang.incarnation())) {
                                throw new GuestException("the job has just ended; its files are on their way");
                            }
                            gang.changedFiles(request.contents(), request.paths(), sink);
                        });
                        log.debug("{}: files asked for by {}, whole: {}", gang.incarnation(), request, whole);
                    } catch (IOException e) {
                        log.warn("{}: files not delivered: {}", gang.incarnation(), e.getMessage());
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }
}
