package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.JobPhase;

/** Lines that are about a job say so in fields, and what becomes of the fields in the daemons' two formats. */
@Timeout(120)
class LogFieldsIT extends CoordinatorFixture {
    private static final class Lines extends AppenderBase<ILoggingEvent> {
        private final List<ILoggingEvent> all = new CopyOnWriteArrayList<>();

        @Override
        protected void append(ILoggingEvent line) {
            line.prepareForDeferredProcessing();
            all.add(line);
        }
    }

    @Test
    void linesThatNameAJobHaveItsFields() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger("org.stillcut.coordinator");
        Lines lines = new Lines();
        lines.start();
        logger.addAppender(lines);
        logger.setLevel(Level.INFO);
        String id;
        try {
            id = running();
            checkpoint(id);
            jobs().cancelJob(CancelJobRequest.newBuilder().setJobId(id).build());
            await(id, JobPhase.JOB_PHASE_ENDED);
        } finally {
            logger.setLevel(null);
            logger.detachAppender(lines);
        }
        Pattern checkpoint = Pattern.compile(Pattern.quote(id) + "@([0-9]+)");
        List<ILoggingEvent> about = lines.all.stream()
                .filter(line -> line.getFormattedMessage().contains(id))
                // They are about a node, which may hold several jobs.
                .filter(line -> !line.getLoggerName().equals(AgentRegistry.class.getName()))
                .filter(line -> line.getLevel().isGreaterOrEqual(Level.INFO))
                .toList();
        assertThat(about).hasSizeGreaterThan(5);
        for (ILoggingEvent line : about) {
            Map<String, String> fields = line.getMDCPropertyMap();
            assertThat(fields).as(line.getFormattedMessage()).containsEntry("job", id);
            if (line.getLoggerName().contains(".job.")) {
                assertThat(fields).as(line.getFormattedMessage()).containsEntry("epoch", "1");
            }
            Matcher named = checkpoint.matcher(line.getFormattedMessage());
            if (named.find() && fields.containsKey("checkpoint")) {
                assertThat(fields).containsEntry("checkpoint", named.group(1));
            }
        }
        assertThat(about)
                .anySatisfy(line -> assertThat(line.getMDCPropertyMap()).containsEntry("checkpoint", "1"));
    }

    private static String logged(String configuration) throws Exception {
        PrintStream err = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        LoggerContext context = new LoggerContext();
        context.setMDCAdapter(MDC.getMDCAdapter());
        try (PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setErr(stream);
            JoranConfigurator configurator = new JoranConfigurator();
            configurator.setContext(context);
            configurator.doConfigure("../scripts/logging/" + configuration);
            Logger logger = context.getLogger("org.stillcut.Some");
            logger.info("nothing in particular");
            MDC.put("job", "heat-1");
            MDC.put("checkpoint", "7");
            logger.warn("it \"failed\" with {}", 5);
        } finally {
            MDC.clear();
            context.stop();
            System.setErr(err);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void textHasTheFieldsInFrontOfTheMessage() throws Exception {
        List<String> lines = logged("daemon.xml").lines().toList();
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst()).endsWith(" Some: nothing in particular");
        assertThat(lines.getLast()).contains("job=heat-1", "checkpoint=7").endsWith("] it \"failed\" with 5");
    }

    @Test
    void jsonIsOneObjectInEachLine() throws Exception {
        List<String> lines = logged("daemon-json.xml").lines().toList();
        assertThat(lines).hasSize(2);
        JsonNode line = new ObjectMapper().readTree(lines.getLast());
        assertThat(line.path("level").asText()).isEqualTo("WARN");
        assertThat(line.path("formattedMessage").asText()).isEqualTo("it \"failed\" with 5");
        assertThat(line.path("mdc").path("job").asText()).isEqualTo("heat-1");
        assertThat(line.path("mdc").path("checkpoint").asText()).isEqualTo("7");
        assertThat(line.path("timestamp").isIntegralNumber()).isTrue();
        assertThat(line.path("loggerName").asText()).isEqualTo("org.stillcut.Some");
        assertThat(line.has("threadName")).isTrue();
    }
}
