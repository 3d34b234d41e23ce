package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class QmpClientTest {

    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(50);

    private Path directory;
    private Path socket;
    private @Nullable FakeQmpServer server;

    @BeforeEach
    void makeDirectory() throws Exception {
        directory = Files.createTempDirectory("stillcut-qmp-");
        socket = directory.resolve("qmp.sock");
    }

    @AfterEach
    void cleanUp() throws Exception {
        if (server != null) {
            server.close();
        }
        LabVm.delete(directory);
    }

    @Test
    void greetingGivesTheVersion() throws Exception {
        try (QmpClient qmp = serve(client -> client.read())) {
            assertThat(qmp.version()).isEqualTo("7.2.3");
        }
    }

    @Test
    void nobodyListeningIsAnIoException() {
        assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
    }

    @Test
    void returnValueIsGivenBack() throws Exception {
        try (QmpClient qmp = serve(client -> client.answer(client.read(), "\"return\": {\"status\": \"paused\"}"))) {
            assertThat(qmp.execute("query-status", DEADLINE).path("status").asText())
                    .isEqualTo("paused");
        }
    }

    @Test
    void errorAnswerHasCommandClassAndDescription() throws Exception {
        try (QmpClient qmp = serve(client -> {
            client.answer(client.read(), "\"error\": {\"class\": \"GenericError\", \"desc\": \"no such node\"}");
            client.answer(client.read(), "\"return\": {}");
        })) {
            assertThatThrownBy(() -> qmp.execute("blockdev-del", Map.of("node-name", "x"), DEADLINE))
                    .isInstanceOfSatisfying(QmpRefusedException.class, e -> {
                        assertThat(e.command()).isEqualTo("blockdev-del");
                        assertThat(e.errorClass()).isEqualTo("GenericError");
                        assertThat(e.description()).isEqualTo("no such node");
                    });
            qmp.execute("cont", DEADLINE);
        }
    }

    @Test
    void commandsOfSeveralThreadsGetTheirOwnAnswersInAnyOrder() throws Exception {
        int count = 20;
        try (QmpClient qmp = serve(client -> {
                    List<String> commands = new ArrayList<>();
                    for (int i = 0; i < count; i++) {
                        commands.add(client.read());
                    }
                    for (String command : commands.reversed()) {
                        client.answer(command, "\"return\": \"" + command.replaceAll(".*echo-(\\d+).*", "$1") + "\"");
                    }
                });
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<JsonNode>> answers = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                String command = "echo-" + i;
                Callable<JsonNode> call = () -> qmp.execute(command, DEADLINE);
                answers.add(threads.submit(call));
            }
            for (int i = 0; i < count; i++) {
                assertThat(answers.get(i).get().asInt()).isEqualTo(i);
            }
        }
    }

    @Test
    void lateAnswerIsNotTakenForTheNext() throws Exception {
        try (QmpClient qmp = serve(client -> {
            String first = client.read();
            String second = client.read();
            client.answer(first, "\"return\": 1");
            client.answer(second, "\"return\": 2");
        })) {
            assertThatThrownBy(() -> qmp.execute("slow", SHORT))
                    .isInstanceOf(QmpTimeoutException.class)
                    .hasMessage("no answer to slow from QEMU within 50 ms");
            assertThat(qmp.execute("next", DEADLINE).asInt()).isEqualTo(2);
        }
    }

    @Test
    void eventBetweenCommandAndWaitIsNotLost() throws Exception {
        try (QmpClient qmp = serve(client -> {
                    String command = client.read();
                    client.write("{\"event\": \"OTHER\"}\r\n{\"event\": \"STOP\", \"data\": {\"n\": \"1\"}}\r\n");
                    client.answer(command, "\"return\": {}");
                    client.read();
                });
                EventWatch watch = qmp.watch("STOP", event -> event.name().equals("STOP"))) {
            qmp.execute("stop", DEADLINE);
            assertThat(watch.await(DEADLINE).text("n")).isEqualTo("1");
            assertThat(watch.await(DEADLINE).text("absent")).isEmpty();
        }
    }

    @Test
    void eventThatDoesNotComeIsATimeout() throws Exception {
        try (QmpClient qmp = serve(client -> client.read());
                EventWatch watch = qmp.watch("RESUME", event -> event.name().equals("RESUME"))) {
            assertThatThrownBy(() -> watch.await(SHORT))
                    .isInstanceOf(QmpTimeoutException.class)
                    .hasMessageContaining("RESUME");
        }
    }

    @Test
    void closedConnectionEndsAllWaits() throws Exception {
        try (QmpClient qmp = serve(client -> client.read());
                EventWatch watch = qmp.watch("STOP", event -> event.name().equals("STOP"))) {
            assertThatThrownBy(() -> qmp.execute("stop", DEADLINE)).isInstanceOf(QmpClosedException.class);
            assertThatThrownBy(() -> watch.await(DEADLINE)).isInstanceOf(QmpClosedException.class);
            assertThatThrownBy(() -> qmp.execute("cont", DEADLINE)).isInstanceOf(QmpClosedException.class);
            assertThatThrownBy(() -> qmp.watch("late", event -> true)).isInstanceOf(QmpClosedException.class);
        }
    }

    @Test
    void garbageEndsTheConnection() throws Exception {
        for (String garbage : List.of("not json", "{}", "[1, 2]", "{\"return\": {}}", "{\"event\"")) {
            try (QmpClient qmp = serve(client -> {
                client.read();
                client.write(garbage + "\r\n");
                client.read();
            })) {
                assertThatThrownBy(() -> qmp.execute("stop", DEADLINE))
                        .as(garbage)
                        .isInstanceOf(QmpClosedException.class);
            }
        }
    }

    @Test
    void endlessLineEndsTheConnection() throws Exception {
        try (QmpClient qmp = serve(client -> {
            client.read();
            String piece = "x".repeat(1 << 20);
            for (int i = 0; i < 16; i++) {
                client.write(piece);
            }
        })) {
            assertThatThrownBy(() -> qmp.execute("stop", DEADLINE))
                    .isInstanceOf(QmpClosedException.class)
                    .rootCause()
                    .hasMessageContaining("line longer than");
        }
    }

    @Test
    void silentServerIsATimeout() throws Exception {
        server = FakeQmpServer.start(socket, client -> client.read());
        assertThatThrownBy(() -> QmpClient.connect(socket, SHORT)).isInstanceOf(QmpTimeoutException.class);
    }

    @Test
    void interruptedCallerDoesNotBreakTheConnection() throws Exception {
        try (QmpClient qmp = serve(client -> {
            while (true) {
                client.answer(client.read(), "\"return\": {}");
            }
        })) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> qmp.execute("stop", DEADLINE)).isInstanceOf(InterruptedException.class);
            assertThat(qmp.execute("cont", DEADLINE)).isEmpty();
        }
    }

    private QmpClient connect() throws IOException, QmpException, InterruptedException {
        return QmpClient.connect(socket, DEADLINE);
    }

    /** Starts a server that greets and then follows the script, and connects to it. */
    private QmpClient serve(FakeQmpServer.Script afterGreeting) throws Exception {
        Files.deleteIfExists(socket);
        server = FakeQmpServer.start(socket, client -> {
            client.greet();
            afterGreeting.run(client);
        });
        return connect();
    }
}
