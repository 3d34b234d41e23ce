package org.stillcut.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A command that was sent to QEMU's monitor. Closed without an answer, the answer is ignored when it comes. */
final class QmpCall implements AutoCloseable {
    private final String command;
    private final CompletableFuture<JsonNode> answer;
    private final Path socket;
    private final Runnable forget;

    QmpCall(String command, CompletableFuture<JsonNode> answer, Path socket, Runnable forget) {
        this.command = command;
        this.answer = answer;
        this.socket = socket;
        this.forget = forget;
    }

    /** What QEMU returns; fails as {@link QmpClient#execute(String, java.util.Map, Duration)} does. */
    JsonNode await(Duration deadline) throws QmpException, InterruptedException {
        JsonNode message = await(answer, "answer to " + command, socket, deadline);
        JsonNode error = message.get("error");
        if (error != null) {
            throw new QmpRefusedException(
                    command, error.path("class").asText("?"), error.path("desc").asText("?"));
        }
        return message.path("return");
    }

    static <T> T await(CompletableFuture<T> future, String what, Path socket, Duration deadline)
            throws QmpException, InterruptedException {
        try {
            return future.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new QmpTimeoutException(what, deadline);
        } catch (ExecutionException e) {
            throw new QmpClosedException("the QMP connection " + socket + " ended before the " + what, e);
        }
    }

    @Override
    public void close() {
        forget.run();
    }
}
