package org.stillcut.coordinator.catalog;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.KeyDeserializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.coordinator.JobExit;
import org.stillcut.protocol.coordinator.JobRecord;

/**
 * Records as JSON. The protocol's own types know nothing of it: what tells the kinds of a sealed type apart is mixed in
 * here, by names that must not change, since catalogs are read by later versions.
 */
public final class CatalogJson {
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .addMixIn(JobRecord.class, JobRecordKinds.class)
            .addMixIn(JobExit.class, JobExitKinds.class)
            .addMixIn(CheckpointFailure.class, FailureKinds.class)
            .registerModule(new SimpleModule()
                    .addKeyDeserializer(AgentId.class, new AgentIdKey())
                    .addSerializer(Duration.class, ToStringSerializer.instance)
                    .addDeserializer(Duration.class, new DurationText()));

    private CatalogJson() {}

    /** JSON of a value that is known to have one. */
    public static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("no JSON for " + value.getClass(), e);
        }
    }

    /** The value that such JSON was written of; a {@link CatalogException} if it was not. */
    public static <T> T read(String json, Class<T> type) {
        try {
            @Nullable T value = MAPPER.readValue(json, type);
            if (value != null) {
                return value;
            }
        } catch (JsonProcessingException e) {
            throw new CatalogException("not a " + type.getSimpleName() + ": " + json, e);
        }
        throw new CatalogException("not a " + type.getSimpleName() + ": " + json, null);
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
    @JsonSubTypes({
        @JsonSubTypes.Type(value = JobRecord.JobCreated.class, name = "job-created"),
        @JsonSubTypes.Type(value = JobRecord.JobAdopted.class, name = "job-adopted"),
        @JsonSubTypes.Type(value = JobRecord.VmsReady.class, name = "vms-ready"),
        @JsonSubTypes.Type(value = JobRecord.CutConfirmed.class, name = "cut-confirmed"),
        @JsonSubTypes.Type(value = JobRecord.CheckpointBegun.class, name = "checkpoint-begun"),
        @JsonSubTypes.Type(value = JobRecord.CheckpointCommitted.class, name = "checkpoint-committed"),
        @JsonSubTypes.Type(value = JobRecord.CheckpointAborted.class, name = "checkpoint-aborted"),
        @JsonSubTypes.Type(value = JobRecord.RestartDecided.class, name = "restart-decided"),
        @JsonSubTypes.Type(value = JobRecord.JobLost.class, name = "job-lost"),
        @JsonSubTypes.Type(value = JobRecord.JobEnded.class, name = "job-ended"),
        @JsonSubTypes.Type(value = JobRecord.JobClosed.class, name = "job-closed")
    })
    private interface JobRecordKinds {}

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
    @JsonSubTypes({
        @JsonSubTypes.Type(value = JobExit.Exited.class, name = "exited"),
        @JsonSubTypes.Type(value = JobExit.Cancelled.class, name = "cancelled"),
        @JsonSubTypes.Type(value = JobExit.NeverStarted.class, name = "never-started")
    })
    private interface JobExitKinds {}

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
    @JsonSubTypes({
        @JsonSubTypes.Type(value = CheckpointFailure.AgentLost.class, name = "agent-lost"),
        @JsonSubTypes.Type(value = CheckpointFailure.VmLost.class, name = "vm-lost"),
        @JsonSubTypes.Type(value = CheckpointFailure.DeadlinePassed.class, name = "deadline-passed"),
        @JsonSubTypes.Type(value = CheckpointFailure.StepFailed.class, name = "step-failed"),
        @JsonSubTypes.Type(value = CheckpointFailure.StoreFull.class, name = "store-full"),
        @JsonSubTypes.Type(value = CheckpointFailure.SnapshotDamaged.class, name = "snapshot-damaged"),
        @JsonSubTypes.Type(value = CheckpointFailure.TrafficRefused.class, name = "traffic-refused"),
        @JsonSubTypes.Type(value = CheckpointFailure.Superseded.class, name = "superseded"),
        @JsonSubTypes.Type(value = CheckpointFailure.CoordinatorRestarted.class, name = "coordinator-restarted"),
        @JsonSubTypes.Type(value = CheckpointFailure.JobEnded.class, name = "job-ended"),
        @JsonSubTypes.Type(value = CheckpointFailure.CommitFailed.class, name = "commit-failed")
    })
    private interface FailureKinds {}

    private static final class AgentIdKey extends KeyDeserializer {
        @Override
        public Object deserializeKey(String key, DeserializationContext context) {
            return new AgentId(key);
        }
    }

    private static final class DurationText extends FromStringDeserializer<Duration> {
        private static final long serialVersionUID = 1L;

        DurationText() {
            super(Duration.class);
        }

        @Override
        protected Duration _deserialize(String text, DeserializationContext context) throws IOException {
            return Duration.parse(text);
        }
    }
}
