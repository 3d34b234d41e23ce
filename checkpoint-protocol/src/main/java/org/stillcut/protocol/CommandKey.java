package org.stillcut.protocol;

import java.util.Optional;

/**
 * What makes two commands the same command: a repeat carries the same key, and an answer carries the key of what it
 * answers.
 */
public record CommandKey(Incarnation incarnation, Step step, Optional<CheckpointId> checkpoint) {
    public CommandKey {
        if (step.namesCheckpoint() != checkpoint.isPresent()) {
            throw new IllegalArgumentException(
                    step + (checkpoint.isPresent() ? " names no checkpoint" : " needs a checkpoint"));
        }
        checkpoint.ifPresent(id -> {
            if (!id.job().equals(incarnation.job())) {
                throw new IllegalArgumentException("checkpoint " + id + " is not of job " + incarnation.job());
            }
        });
    }

    public static CommandKey of(Incarnation incarnation, Step step) {
        return new CommandKey(incarnation, step, Optional.empty());
    }

    public static CommandKey of(Incarnation incarnation, Step step, CheckpointId checkpoint) {
        return new CommandKey(incarnation, step, Optional.of(checkpoint));
    }

    /** The checkpoint of a step that {@linkplain Step#namesCheckpoint() names} one. */
    public CheckpointId requireCheckpoint() {
        return checkpoint.orElseThrow(() -> new IllegalStateException(step + " names no checkpoint"));
    }

    @Override
    public String toString() {
        return step + " " + incarnation + checkpoint.map(id -> " " + id).orElse("");
    }
}
