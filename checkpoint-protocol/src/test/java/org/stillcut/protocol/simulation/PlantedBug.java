package org.stillcut.protocol.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.agent.AgentEffect;
import org.stillcut.protocol.agent.AgentEvent;
import org.stillcut.protocol.agent.AgentState;
import org.stillcut.protocol.agent.AgentTransition;
import org.stillcut.protocol.coordinator.JobEffect;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobRecord;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.protocol.coordinator.JobState.Barrier;
import org.stillcut.protocol.coordinator.JobState.Checkpointing;
import org.stillcut.protocol.coordinator.Sequel;
import org.stillcut.protocol.coordinator.Transition;

/** Mistakes that are easily made, each wrapped around the real state machines. The simulation must find every one. */
enum PlantedBug implements Cores {
    /** A lost participant counts as one that has answered: the barrier shrinks. */
    BARRIER_SHRINKS {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return state instanceof Checkpointing barrier
                            && event instanceof JobEvent.AgentLost(AgentId lost)
                            && barrier.awaited().contains(lost)
                    ? REAL.coordinator(state, new JobEvent.Reported(answer(barrier, lost)))
                    : REAL.coordinator(state, event);
        }
    },

    /** The commit is written when the first agent has persisted. */
    COMMITS_BEFORE_LAST_SNAPSHOT {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            Transition real = REAL.coordinator(state, event);
            return real.next() instanceof Checkpointing(var job, var id, var step, var _, var snapshots, var _)
                            && step == Step.PERSIST
                            && !snapshots.isEmpty()
                    ? new Transition(
                            new JobState.Committing(job, id, snapshots, new Sequel.GoOn()),
                            real.persistFirst(),
                            List.of(new JobEffect.WriteCommit(id, snapshots)))
                    : real;
        }
    },

    /** An agent is told to capture as soon as its own VMs are paused. */
    CAPTURES_BEFORE_ALL_PAUSED {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return hurrying(state, event, REAL.coordinator(state, event), Step.PAUSE, Step.CAPTURE);
        }
    },

    /** An agent is told to resume as soon as its own VMs are captured. */
    RESUMES_BEFORE_ALL_CAPTURED {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return hurrying(state, event, REAL.coordinator(state, event), Step.CAPTURE, Step.RESUME);
        }
    },

    /** Any answer of an awaited agent counts, also one for a step before. */
    TAKES_ANSWER_FOR_ANOTHER_STEP {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return state instanceof Checkpointing barrier
                            && event instanceof JobEvent.Reported(Report.Done done)
                            && barrier.awaited().contains(done.agent())
                            && barrier.step() != Step.PERSIST
                    ? REAL.coordinator(state, new JobEvent.Reported(answer(barrier, done.agent())))
                    : REAL.coordinator(state, event);
        }
    },

    /** VMs are captured although the wire was not seen empty when they were stopped. */
    CAPTURES_WITHOUT_SEAL {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return withoutWatch(Watch.SEAL, REAL.coordinator(state, event));
        }
    },

    /** Whatever was restored may run. */
    THAWS_WITHOUT_COMPARING {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return withoutWatch(Watch.COMPARE, REAL.coordinator(state, event));
        }
    },

    /** It is not on record that restored VMs may be thawed, so recovery wants to see them frozen again. */
    FORGETS_THAT_THE_CUT_WAS_CONFIRMED {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return withoutRecords(REAL.coordinator(state, event), record -> record instanceof JobRecord.CutConfirmed);
        }
    },

    /** A watch that ends late is taken for the present one. */
    HONOURS_STALE_WATCH {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return event instanceof JobEvent.Watched(long _, Optional<String> refusal)
                    ? REAL.coordinator(state, new JobEvent.Watched(state.job().deadlineToken(), refusal))
                    : REAL.coordinator(state, event);
        }
    },

    /** Deadlines are taken for those of the present step, whatever their token. */
    HONOURS_STALE_DEADLINE {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return event instanceof JobEvent.DeadlinePassed
                    ? REAL.coordinator(
                            state, new JobEvent.DeadlinePassed(state.job().deadlineToken()))
                    : REAL.coordinator(state, event);
        }
    },

    /** Recovery believes that the job simply runs. */
    RECOVERS_AS_RUNNING {
        @Override
        public JobState recover(List<JobRecord> records, Optional<CheckpointId> newestCommitted) {
            JobState real = REAL.recover(records, newestCommitted);
            return real instanceof Barrier ? new JobState.Running(real.job()) : real;
        }
    },

    /** Recovery does not drive what was undecided, and does not send it again either. */
    RECOVERS_WITHOUT_ABORT {
        @Override
        public JobState recover(List<JobRecord> records, Optional<CheckpointId> newestCommitted) {
            JobState real = REAL.recover(records, newestCommitted);
            return real instanceof JobState.Aborting ? new JobState.Running(real.job()) : real;
        }
    },

    /** Recovery asks its own log, not the repository, whether a checkpoint exists. */
    RECOVERS_WITHOUT_REPOSITORY {
        @Override
        public JobState recover(List<JobRecord> records, Optional<CheckpointId> newestCommitted) {
            Optional<CheckpointId> logged = records.stream()
                    .filter(JobRecord.CheckpointCommitted.class::isInstance)
                    .map(record -> ((JobRecord.CheckpointCommitted) record).id())
                    .reduce((_, later) -> later);
            return REAL.recover(records, logged);
        }
    },

    /** It is not on record that VMs were set going, so recovery makes new ones where they are missing. */
    FORGETS_THAT_VMS_WERE_READY {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return withoutRecords(REAL.coordinator(state, event), record -> record instanceof JobRecord.VmsReady);
        }
    },

    /** A restart is acted on and not recorded. */
    FORGETS_THE_NEW_EPOCH {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            return withoutRecords(REAL.coordinator(state, event), record -> record instanceof JobRecord.RestartDecided);
        }
    },

    /** An agent that comes back with VMs of an older incarnation may keep them. */
    LEAVES_OLD_INCARNATION_ALIVE {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            Transition real = REAL.coordinator(state, event);
            return event instanceof JobEvent.AgentConnected
                    ? new Transition(real.next(), real.persistFirst(), withoutDestroy(real.effects()))
                    : real;
        }
    },

    /** Who asked for a checkpoint is not told when the job ends first. */
    LEAVES_REQUESTER_WAITING {
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            Transition real = REAL.coordinator(state, event);
            List<JobEffect> effects = new ArrayList<>(real.effects());
            if (event instanceof JobEvent.JobExited) {
                effects.removeIf(JobEffect.CheckpointSettled.class::isInstance);
            }
            return new Transition(real.next(), real.persistFirst(), effects);
        }
    },

    /** An agent creates VMs beside those of an older incarnation. */
    ACCEPTS_SECOND_INCARNATION {
        @Override
        public AgentTransition agent(AgentState state, AgentEvent event) {
            return event instanceof AgentEvent.CommandReceived(Command command)
                            && command.step() == Step.RESTORE
                            && !state.held().equals(Optional.of(command.incarnation()))
                    ? REAL.agent(new AgentState.Vacant(state.agent(), state.job(), 0), event)
                    : REAL.agent(state, event);
        }
    },

    /** An agent takes the destruction of an older incarnation for one of the present. */
    DESTROYS_WRONG_EPOCH {
        // A needless command, and a legal one, so that there are more chances for the agent to go wrong.
        @Override
        public Transition coordinator(JobState state, JobEvent event) {
            Transition real = REAL.coordinator(state, event);
            long epoch = state.job().epoch() - 1;
            if (!(event instanceof JobEvent.AgentConnected connected) || epoch < Incarnation.FIRST_EPOCH) {
                return real;
            }
            List<JobEffect> effects = new ArrayList<>(real.effects());
            effects.add(new JobEffect.Send(
                    connected.agent(),
                    Command.destroy(new Incarnation(state.job().id(), epoch))));
            return new Transition(real.next(), real.persistFirst(), effects);
        }

        @Override
        public AgentTransition agent(AgentState state, AgentEvent event) {
            return event instanceof AgentEvent.CommandReceived(Command command)
                            && command.step() == Step.DESTROY
                            && state.held().isPresent()
                    ? REAL.agent(
                            state,
                            new AgentEvent.CommandReceived(
                                    Command.destroy(state.held().get())))
                    : REAL.agent(state, event);
        }
    },

    /** An agent that let the job go on by itself behaves as if it had not. */
    PERSISTS_AFTER_SELF_ABORT {
        @Override
        public AgentTransition agent(AgentState state, AgentEvent event) {
            AgentTransition real = REAL.agent(state, event);
            boolean undone = state instanceof AgentState.Undoing undoing
                    && !undoing.commanded()
                    && real.next() instanceof AgentState.Active;
            return undone ? new AgentTransition(pretended((AgentState.Undoing) state), real.effects()) : real;
        }

        private AgentState pretended(AgentState.Undoing state) {
            return new AgentState.Checkpointing(
                    state.host(), state.id(), Step.CAPTURE, new AgentState.Progress.Complete(new TreeMap<>()));
        }
    },

    /** An agent does not let the job go on by itself. */
    WATCHDOG_SLEEPS {
        @Override
        public AgentTransition agent(AgentState state, AgentEvent event) {
            return event instanceof AgentEvent.CoordinatorSilent
                    ? new AgentTransition(state, List.of())
                    : REAL.agent(state, event);
        }
    },

    /** A repeated command to start the job is carried out again. */
    STARTS_TWICE {
        @Override
        public AgentTransition agent(AgentState state, AgentEvent event) {
            return state instanceof AgentState.Active active
                            && event instanceof AgentEvent.CommandReceived(Command command)
                            && command.step() == Step.START
                    ? new AgentTransition(
                            new AgentState.Launching(active.host(), Step.START),
                            List.of(new AgentEffect.Perform(command)))
                    : REAL.agent(state, event);
        }
    },

    /** A repeated command is carried out again while the first is under way. */
    WORKS_TWICE_AT_ONCE {
        @Override
        public AgentTransition agent(AgentState state, AgentEvent event) {
            return event instanceof AgentEvent.CommandReceived(Command command)
                            && state.working().equals(Optional.of(command.key()))
                    ? new AgentTransition(state, List.of(new AgentEffect.Perform(command)))
                    : REAL.agent(state, event);
        }
    };

    /** What an agent would answer to the present step, with invented snapshots where some are asked for. */
    private static Report.Done answer(Checkpointing barrier, AgentId agent) {
        SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
        if (barrier.step() == Step.PERSIST) {
            barrier.job().placement().vmsOf(agent).forEach(vm -> snapshots.put(vm, new SnapshotRef("none")));
        }
        return new Report.Done(
                agent, CommandKey.of(barrier.job().incarnation(), barrier.step(), barrier.id()), snapshots);
    }

    /** Sends an agent the next step when it has answered one, without waiting for the others. */
    private static Transition hurrying(JobState state, JobEvent event, Transition real, Step from, Step to) {
        if (!(state instanceof Checkpointing before)
                || before.step() != from
                || !(event instanceof JobEvent.Reported(Report.Done done))
                || !(real.next() instanceof Checkpointing after)
                || after.step() != from) {
            return real;
        }
        List<JobEffect> effects = new ArrayList<>(real.effects());
        CommandKey key = CommandKey.of(before.job().incarnation(), to, before.id());
        effects.add(new JobEffect.Send(
                done.agent(), Command.of(key, before.job().placement().vmsOf(done.agent()))));
        return new Transition(after, real.persistFirst(), effects);
    }

    /** Takes it for granted that the watch would have ended well. */
    private static Transition withoutWatch(Watch skipped, Transition real) {
        return real.effects().stream()
                .filter(effect -> effect instanceof JobEffect.WatchTraffic watch && watch.watch() == skipped)
                .map(effect -> ((JobEffect.WatchTraffic) effect).token())
                .findFirst()
                .map(token -> {
                    Transition next = REAL.coordinator(real.next(), new JobEvent.Watched(token, Optional.empty()));
                    List<JobRecord> records = new ArrayList<>(real.persistFirst());
                    records.addAll(next.persistFirst());
                    List<JobEffect> effects = new ArrayList<>(real.effects());
                    effects.removeIf(JobEffect.WatchTraffic.class::isInstance);
                    effects.addAll(next.effects());
                    return new Transition(next.next(), records, effects);
                })
                .orElse(real);
    }

    private static Transition withoutRecords(Transition real, Predicate<JobRecord> forgotten) {
        List<JobRecord> records = new ArrayList<>(real.persistFirst());
        records.removeIf(forgotten);
        return new Transition(real.next(), records, real.effects());
    }

    private static List<JobEffect> withoutDestroy(List<JobEffect> effects) {
        List<JobEffect> kept = new ArrayList<>(effects);
        kept.removeIf(
                effect -> effect instanceof JobEffect.Send(var _, Command command) && command.step() == Step.DESTROY);
        return kept;
    }
}
