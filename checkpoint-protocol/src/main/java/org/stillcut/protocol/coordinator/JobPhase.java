package org.stillcut.protocol.coordinator;

/** The kinds of {@link JobState}, as one word each for watchers and tables. */
public enum JobPhase {
    STARTING,
    RUNNING,
    CHECKPOINTING,
    COMMITTING,
    ABORTING,
    PLANNING,
    RESTARTING,
    LOST,
    ENDING,
    ENDED
}
