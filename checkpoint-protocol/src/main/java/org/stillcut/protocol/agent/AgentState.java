package org.stillcut.protocol.agent;

import java.util.Optional;
import java.util.SortedMap;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/**
 * Where an agent stands with one job. An agent holds VMs of at most one incarnation of a job, so that two can never be
 * driven side by side on one node.
 */
public sealed interface AgentState {
    AgentId agent();

    JobId job();

    /** The incarnation of which there are VMs, or remains of VMs: what {@code AgentConnected} tells the coordinator. */
    Optional<Incarnation> held();

    /** The work that was begun and is neither done nor interrupted. */
    Optional<CommandKey> working();

    /**
     * Nothing is held. The shell may drop a state that is vacant: sessions keep their order, and a coordinator that has
     * commanded one incarnation never commands an older one except to destroy it.
     *
     * @param destroyedEpoch the highest epoch destroyed here, or zero: it and older ones are not created again
     */
    record Vacant(AgentId agent, JobId job, long destroyedEpoch) implements AgentState {
        @Override
        public Optional<Incarnation> held() {
            return Optional.empty();
        }

        @Override
        public Optional<CommandKey> working() {
            return Optional.empty();
        }
    }

    /** VMs are held, or what is left of them. */
    sealed interface Hosting extends AgentState {
        Host host();

        @Override
        default AgentId agent() {
            return host().agent();
        }

        @Override
        default JobId job() {
            return incarnation().job();
        }

        default Incarnation incarnation() {
            return host().origin().incarnation();
        }

        @Override
        default Optional<Incarnation> held() {
            return Optional.of(incarnation());
        }
    }

    /** {@link Step#BOOT} or {@link Step#RESTORE} is under way. */
    record Creating(Host host) implements Hosting {
        @Override
        public Optional<CommandKey> working() {
            return Optional.of(host.origin());
        }
    }

    /**
     * The VMs exist and wait for a step that sets them going.
     *
     * @param next the step; those before it are done
     */
    record Created(Host host, Step next) implements Hosting {
        @Override
        public Optional<CommandKey> working() {
            return Optional.empty();
        }
    }

    /** {@link Step#START}, {@link Step#RUN} or {@link Step#THAW} is under way. */
    record Launching(Host host, Step step) implements Hosting {
        @Override
        public Optional<CommandKey> working() {
            return Optional.of(host.launchKey(step));
        }
    }

    /** The VMs run, and no checkpoint is in progress. */
    record Active(Host host) implements Hosting {
        @Override
        public Optional<CommandKey> working() {
            return Optional.empty();
        }
    }

    /** A checkpoint is in progress, from {@link Step#PREPARE} to {@link Step#PERSIST}. */
    record Checkpointing(Host host, CheckpointId id, Step step, Progress progress) implements Hosting {
        public Checkpointing {
            if (!Step.CHECKPOINT_ORDER.contains(step)) {
                throw new IllegalArgumentException(step + " is not a step of this state");
            }
        }

        CommandKey key() {
            return host.key(step, id);
        }

        /** Whether the job stands still here, or may, so that a silent coordinator must not be waited for. */
        boolean isDisturbed() {
            return step.disturbsJob() && !(step == Step.RESUME && progress instanceof Progress.Complete);
        }

        @Override
        public Optional<CommandKey> working() {
            return progress instanceof Progress.Working ? Optional.of(key()) : Optional.empty();
        }
    }

    /**
     * A checkpoint is being undone.
     *
     * @param commanded whether the coordinator asked for it and awaits the answer
     */
    record Undoing(Host host, CheckpointId id, boolean commanded) implements Hosting {
        CommandKey key() {
            return host.key(Step.ABORT, id);
        }

        @Override
        public Optional<CommandKey> working() {
            return Optional.of(key());
        }
    }

    /** A step failed that cannot be undone: the VMs are in no state to go on. They wait to be destroyed. */
    record Broken(Host host, CommandKey failed, CheckpointFailure failure) implements Hosting {
        @Override
        public Optional<CommandKey> working() {
            return Optional.empty();
        }
    }

    /** The VMs are being killed. */
    record Destroying(Host host) implements Hosting {
        CommandKey key() {
            return CommandKey.of(incarnation(), Step.DESTROY);
        }

        @Override
        public Optional<CommandKey> working() {
            return Optional.of(key());
        }
    }

    /** How far a step of a checkpoint is. */
    sealed interface Progress {
        record Working() implements Progress {}

        /**
         * Done; {@link Step#PERSIST} never stays so, as a persisted checkpoint is over for the agent.
         *
         * @param looks what was seen of the VMs' traffic then; an answer that is repeated says the same
         */
        record Complete(SortedMap<VmId, VmTraffic> looks) implements Progress {
            public Complete {
                looks = Ordered.map(looks);
            }
        }

        record Failed(CheckpointFailure failure) implements Progress {}
    }
}
