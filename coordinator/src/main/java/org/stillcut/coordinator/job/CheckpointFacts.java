package org.stillcut.coordinator.job;

/** What the coordinator itself has seen of a checkpoint, for its record. */
public record CheckpointFacts(StageTimes times, Quiescence quiescence) {}
