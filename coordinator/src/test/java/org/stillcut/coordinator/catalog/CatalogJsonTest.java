package org.stillcut.coordinator.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.coordinator.JobExit;
import org.stillcut.protocol.coordinator.JobRecord;

class CatalogJsonTest {
    static Stream<JobRecord> records() {
        return SampleRecords.all().stream();
    }

    @ParameterizedTest
    @MethodSource("records")
    void recordComesBackAsItWas(JobRecord record) {
        String json = CatalogJson.write(record);
        assertThat(CatalogJson.read(json, JobRecord.class)).isEqualTo(record);
        assertThat(json).doesNotContain("\n");
    }

    @Test
    void samplesHaveEveryKind() {
        assertThat(SampleRecords.all().stream().map(Object::getClass).distinct())
                .hasSameSizeAs(Arrays.asList(JobRecord.class.getPermittedSubclasses()));
        assertThat(SampleRecords.failures()).hasSameSizeAs(CheckpointFailure.class.getPermittedSubclasses());
        assertThat(SampleRecords.exits()).hasSameSizeAs(JobExit.class.getPermittedSubclasses());
    }

    /** A catalog of an earlier version must stay readable: whoever changes a line of this breaks that. */
    @Test
    void textOfRecordsIsPinned() {
        assertThat(records().map(CatalogJson::write)).containsExactly("""
                {"kind":"job-created","job":{"value":"solver-0001"},"placement":{"vmsByAgent":{"a":[{"index":0}],"b.example.org":[{"index":1},{"index":2}]}},"restartLimit":3}
                {"kind":"job-adopted","job":{"value":"solver-0001"},"placement":{"vmsByAgent":{"a":[{"index":0}],"b.example.org":[{"index":1},{"index":2}]}},"restartLimit":3,"epoch":4}
                {"kind":"vms-ready","epoch":1}
                {"kind":"cut-confirmed","epoch":2}
                {"kind":"checkpoint-begun","id":{"job":{"value":"solver-0001"},"sequence":1}}
                {"kind":"checkpoint-committed","id":{"job":{"value":"solver-0001"},"sequence":1}}
                {"kind":"restart-decided","epoch":2,"from":{"job":{"value":"solver-0001"},"sequence":1},"placement":{"vmsByAgent":{"a":[{"index":0}],"b.example.org":[{"index":1},{"index":2}]}}}
                {"kind":"job-lost","reason":"no room"}
                {"kind":"job-closed"}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"agent-lost","agent":{"value":"a"}}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"vm-lost","agent":{"value":"a"},"vm":{"index":1},"reason":"QEMU: \\"killed\\"\\n"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"deadline-passed","step":"FREEZE","missing":[{"value":"a"},{"value":"b.example.org"}]}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"step-failed","agent":{"value":"b.example.org"},"step":"CAPTURE","reason":"no"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"store-full","agent":{"value":"a"},"reason":"ENOSPC"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"snapshot-damaged","agent":{"value":"a"},"reason":"bad"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"superseded","agent":{"value":"a"},"reason":"epoch 1 < 2"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"coordinator-restarted"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"traffic-refused","watch":"VERIFY","reason":"7 bytes on the wire"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"job-ended"}}
                {"kind":"checkpoint-aborted","id":{"job":{"value":"solver-0001"},"sequence":1},"failure":{"kind":"commit-failed","reason":"disk"}}
                {"kind":"job-ended","exit":{"kind":"exited","status":137}}
                {"kind":"job-ended","exit":{"kind":"cancelled","reason":"by its user"}}
                {"kind":"job-ended","exit":{"kind":"never-started","failure":{"kind":"agent-lost","agent":{"value":"b.example.org"}}}}
                """.split("\n"));
    }

    @Test
    void textOfDescriptionIsPinned() {
        JobDescription description =
                SampleJob.ofVms(3).every(Duration.ofMinutes(10)).onNodes("a").description();
        String json = CatalogJson.write(description);
        assertThat(json)
                .isEqualTo(
                        "{\"name\":\"solver\",\"mpirunArguments\":[\"-np\",\"4\",\"./solver\",\"--steps=10\"],"
                                + "\"environment\":[\"OMP_NUM_THREADS=1\"],\"workingDirectory\":\"/home/user/run\","
                                + "\"vmCount\":3,\"vcpusPerVm\":2,\"memoryBytesPerVm\":268435456,"
                                + "\"diskBytesPerVm\":16777216,\"image\":\"base\",\"checkpointInterval\":\"PT10M\","
                                + "\"maxRestarts\":3,\"nodes\":[\"a\"],\"slotsPerVm\":2,\"gated\":true,"
                                + "\"mostVmsPerNode\":[],\"standardInput\":\"\",\"machine\":\"\",\"owner\":\"\""
                                + ",\"policy\":{\"automatic\":false,\"expectedMtbf\":\"PT0S\",\"keepLast\":0,\"keepHourly\":0,\"keepDaily\":0,\"keepWeekly\":0}}");
        assertThat(CatalogJson.read(json, JobDescription.class)).isEqualTo(description);
    }

    @Test
    void descriptionOfTheFirstVersionIsStillRead() {
        JobDescription description = SampleJob.ofVms(3).description();
        String json = CatalogJson.write(description).replaceFirst(",\"mostVmsPerNode\":.*", "}");
        assertThat(json).doesNotContain("standardInput", "policy").endsWith("\"gated\":true}");
        assertThat(CatalogJson.read(json, JobDescription.class)).isEqualTo(description);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "null",
                "[]",
                "{\"kind\":\"vms-ready\"",
                "{\"kind\":\"unheard-of\"}",
                "{\"epoch\":1}",
                "{\"kind\":\"checkpoint-begun\",\"id\":{\"job\":{\"value\":\"x\"},\"sequence\":0}}",
                "{\"kind\":\"checkpoint-begun\",\"id\":{\"job\":{\"value\":\" \"},\"sequence\":1}}",
                "{\"kind\":\"job-created\",\"job\":{\"value\":\"x\"},\"placement\":{\"vmsByAgent\":{}},\"restartLimit\":1}"
            })
    void refusesWhatIsNoRecord(String json) {
        assertThatThrownBy(() -> CatalogJson.read(json, JobRecord.class)).isInstanceOf(CatalogException.class);
    }

    @Test
    void refusesDescriptionOutOfBounds() {
        String json = CatalogJson.write(SampleJob.ofVms(3).description());
        assertThatThrownBy(() -> CatalogJson.read(json.replace("\"vmCount\":3", "\"vmCount\":0"), JobDescription.class))
                .isInstanceOf(CatalogException.class);
        assertThatThrownBy(() -> CatalogJson.read(json.replace("PT0S", "soon"), JobDescription.class))
                .isInstanceOf(CatalogException.class);
    }
}
