package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ExitStatusTest {
    /** Scripts depend on these. */
    @ParameterizedTest
    @CsvSource({
        "OK, 0",
        "INVALID_ARGUMENT, 2",
        "UNAVAILABLE, 4",
        "DEADLINE_EXCEEDED, 110",
        "NOT_FOUND, 10",
        "DATA_LOSS, 14",
        "RESOURCE_EXHAUSTED, 16",
        "ABORTED, 1",
        "FAILED_PRECONDITION, 1",
        "INTERNAL, 1",
        "CANCELLED, 1"
    })
    void tableIsPinned(Status.Code code, int status) {
        assertThat(ExitStatus.of(code.toStatus())).isEqualTo(status);
    }

    @ParameterizedTest
    @EnumSource(Status.Code.class)
    void onlySuccessIsZero(Status.Code code) {
        assertThat(ExitStatus.of(code.toStatus()) == 0).isEqualTo(code == Status.Code.OK);
    }

    @Test
    void descriptionDoesNotMatter() {
        assertThat(ExitStatus.of(Status.NOT_FOUND.withDescription("no coordinator")))
                .isEqualTo(10);
    }
}
