package org.stillcut.store;

/**
 * Which snapshot: the VM's part of one checkpoint of one job.
 *
 * @param job name of the job, see {@link JobName}
 * @param sequence number of the checkpoint within the job
 * @param epoch epoch of the coordinator that ordered it
 * @param vmIndex index of the VM within the job's gang
 */
public record SnapshotIdentity(String job, long sequence, long epoch, int vmIndex) {

    /** Checks the values. */
    public SnapshotIdentity {
        JobName.require(job);
        if (sequence < 0 || epoch < 0 || vmIndex < 0) {
            throw new IllegalArgumentException(
                    "negative number: sequence " + sequence + ", epoch " + epoch + ", VM " + vmIndex);
        }
    }
}
