package org.stillcut.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.coordinator.placement.NoRoomException;
import org.stillcut.coordinator.placement.PlacementPlanner;

class StatusMapperTest {
    private static Status statusOf(Throwable failure) {
        return StatusMapper.status(failure).getStatus();
    }

    private static NoRoomException noRoom() {
        try {
            throw new AssertionError(PlacementPlanner.plan(1, 1, 1 << 20, List.of(), List.of()));
        } catch (NoRoomException e) {
            return e;
        }
    }

    @Test
    void everyFailureHasItsStatusAndOneLine() {
        assertThat(statusOf(noRoom()).getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(statusOf(noRoom()).getDescription())
                .isEqualTo("no room for 1 VMs of 1 vCPUs and 1 MiB: 0 fit on 0 nodes");
        Status damaged = statusOf(new CommitException("x@1 cannot be read", new IllegalStateException("checksum")));
        assertThat(damaged.getCode()).isEqualTo(Status.Code.DATA_LOSS);
        assertThat(damaged.getDescription()).isEqualTo("x@1 cannot be read");
        assertThat(statusOf(new IllegalArgumentException("not a thing")).getCode())
                .isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(statusOf(Status.NOT_FOUND.asRuntimeException()).getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(statusOf(new IllegalStateException("oh")).getCode()).isEqualTo(Status.Code.INTERNAL);
    }

    @Test
    void callIsAnsweredOnceWhicheverWayItGoes() {
        List<String> seen = new ArrayList<>();
        StreamObserver<String> observer = new StreamObserver<>() {
            @Override
            public void onNext(String value) {
                seen.add(value);
            }

            @Override
            public void onError(Throwable failure) {
                seen.add(Status.fromThrowable(failure).getCode().name());
            }

            @Override
            public void onCompleted() {
                seen.add("end");
            }
        };
        StatusMapper.answer(observer, () -> "answer");
        StatusMapper.answer(observer, () -> {
            throw new IllegalArgumentException("no");
        });
        assertThat(seen).containsExactly("answer", "end", "INVALID_ARGUMENT");
    }
}
