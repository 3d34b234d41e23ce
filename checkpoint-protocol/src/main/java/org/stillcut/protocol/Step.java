package org.stillcut.protocol;

import java.util.List;
import java.util.Optional;

/**
 * What a coordinator can command an agent to do with the VMs of one job. Each step is a barrier: the next one is
 * commanded when every agent concerned has answered, and, where a {@link Watch} follows, when that has ended well.
 *
 * <p>A checkpoint runs through {@link #CHECKPOINT_ORDER}.
 */
public enum Step {
    /** Create the VMs of a first incarnation; done when their guests answer. */
    BOOT,
    /** Start {@code mpirun} in VM 0; commanded to that VM's agent only. */
    START,
    /** Do everything that may be slow while the job is still undisturbed: copy RAM ahead, make empty overlays. */
    PREPARE,
    /** Hold every rank at its next MPI call. From here until {@link #RESUME} the job is disturbed. */
    QUIESCE,
    /** Freeze the job's control group in every VM: only a job that holds still keeps the wire empty. */
    FREEZE,
    /** Stop the virtual CPUs. */
    PAUSE,
    /** Switch the disks, take the device state and the last of the RAM; every VM of the job is paused meanwhile. */
    CAPTURE,
    /** Let the same VMs go on and thaw the job. */
    RESUME,
    /** Make the captured snapshots durable in the store, with the job running; answers their references. */
    PERSIST,
    /** Undo a checkpoint: resume, thaw, forget the capture. Always legal, and harmless when repeated. */
    ABORT,
    /** Rebuild the VMs from a checkpoint; done when they are loaded, still paused. */
    RESTORE,
    /** Let restored VMs go on; their job stays frozen, as it is in their images. */
    RUN,
    /** Set the clocks of restored VMs, let their ranks pass and thaw the job. */
    THAW,
    /** Kill the VMs of an incarnation and forget it. Always legal, and harmless when repeated. */
    DESTROY;

    /** The steps of a checkpoint up to its commit, in their order. */
    public static final List<Step> CHECKPOINT_ORDER =
            List.of(PREPARE, QUIESCE, FREEZE, PAUSE, CAPTURE, RESUME, PERSIST);

    /** Whether the step belongs to taking or undoing a checkpoint. */
    public boolean isOfCheckpoint() {
        return this == ABORT || CHECKPOINT_ORDER.contains(this);
    }

    /** Whether a command for the step names a checkpoint: the one taken, undone, or restored from. */
    public boolean namesCheckpoint() {
        return isOfCheckpoint() || this == RESTORE || this == RUN || this == THAW;
    }

    /** The step of a checkpoint after this one; empty after the last, and for steps outside {@link #CHECKPOINT_ORDER}. */
    public Optional<Step> nextOfCheckpoint() {
        int index = CHECKPOINT_ORDER.indexOf(this);
        return index >= 0 && index + 1 < CHECKPOINT_ORDER.size()
                ? Optional.of(CHECKPOINT_ORDER.get(index + 1))
                : Optional.empty();
    }

    /** Whether an agent that has done the step shows what its VMs' traffic looked like then: the first look of the watch after. */
    public boolean showsTraffic() {
        return this == QUIESCE || this == FREEZE || this == PAUSE;
    }

    /** Whether the job stands still, or may, while an agent works on this step of a checkpoint. */
    public boolean disturbsJob() {
        return this == QUIESCE || this == FREEZE || this == PAUSE || this == CAPTURE || this == RESUME;
    }
}
