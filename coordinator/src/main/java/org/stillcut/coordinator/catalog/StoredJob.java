package org.stillcut.coordinator.catalog;

import java.time.Instant;
import java.util.List;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.coordinator.JobRecord;

/** A job as the catalog has it: what it is, and every decision made about it, in order. */
public record StoredJob(JobId id, JobDescription description, Instant created, List<JobRecord> records) {}
