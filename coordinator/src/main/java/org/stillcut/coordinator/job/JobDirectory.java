package org.stillcut.coordinator.job;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.stillcut.coordinator.membership.MembershipListener;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.coordinator.JobEvent;

/** The jobs that this coordinator drives, ended ones included. Thread-safe. */
public final class JobDirectory implements MembershipListener, AutoCloseable {
    private final ConcurrentSkipListMap<JobId, JobLoop> loops = new ConcurrentSkipListMap<>();

    /** Takes a job in and starts its loop. */
    public void add(JobLoop loop) {
        if (loops.putIfAbsent(loop.id(), loop) != null) {
            throw new IllegalStateException("job " + loop.id() + " is there already");
        }
        loop.start();
    }

    public Optional<JobLoop> find(JobId id) {
        return Optional.ofNullable(loops.get(id));
    }

    /** All jobs, oldest first. */
    public List<JobLoop> all() {
        return loops.values().stream()
                .sorted(Comparator.comparing(JobLoop::created).thenComparing(JobLoop::id))
                .toList();
    }

    @Override
    public void agentConnected(AgentId agent, SortedSet<Incarnation> held) {
        for (JobLoop loop : loops.values()) {
            SortedSet<Incarnation> ofJob =
                    Ordered.filter(held, incarnation -> incarnation.job().equals(loop.id()));
            loop.post(new JobEvent.AgentConnected(agent, ofJob));
        }
    }

    @Override
    public void agentLost(AgentId agent) {
        loops.values().forEach(loop -> loop.post(new JobEvent.AgentLost(agent)));
    }

    /** Ends all loops; the jobs themselves run on. */
    @Override
    public void close() {
        Collection<JobLoop> all = List.copyOf(loops.values());
        all.forEach(JobLoop::close);
    }
}
