package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stillcut.v1.ListNodesRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "doctor",
        description =
                "Looks whether this machine and the cluster have what jobs need, and says what to do about the rest.",
        mixinStandardHelpOptions = true)
final class DoctorCommand extends CoordinatorCommand {
    /** Where the guest images are, as scripts/stillcut says. */
    private static final String IMAGES = "stillcut.image";

    private static final String NATIVE = "stillcut.native";

    private static final int LEVEL_COLUMNS = 6;

    @Option(names = "--strict", description = "Exit with 1 at warnings, too.")
    private boolean strict;

    @Option(names = "--cluster", description = "Leave this machine out: it runs no agent.")
    private boolean clusterOnly;

    @Override
    Optional<String> waitsFor() {
        return Optional.of("looking");
    }

    @Override
    int run(CoordinatorConnection connection) {
        List<Finding> findings = new ArrayList<>();
        if (!clusterOnly) {
            Path images = Path.of(System.getProperty(IMAGES, "build/image"));
            Path probe = Path.of(System.getProperty(NATIVE, "build/native"), "kvmprobe.bin");
            findings.addAll(new HostChecks(Path.of("/"), "qemu-system-x86_64", images, probe).all());
        }
        findings.addAll(cluster(connection));
        ObjectNode document = Report.document("doctor");
        ArrayNode array = document.putArray("findings");
        findings.forEach(finding -> finding.addTo(array.addObject()));
        print(document, text(findings, Style.ofThisProcess()));
        Finding.Level limit = strict ? Finding.Level.WARN : Finding.Level.FAIL;
        return findings.stream().anyMatch(finding -> finding.level().compareTo(limit) >= 0)
                ? ExitStatus.FAILED
                : ExitStatus.OK;
    }

    private static List<Finding> cluster(CoordinatorConnection connection) {
        String subject = "coordinator";
        try {
            List<Finding> findings = new ArrayList<>();
            var nodes = connection.nodes().listNodes(ListNodesRequest.getDefaultInstance());
            findings.add(Finding.ok(subject, "answers at " + connection.address()));
            findings.addAll(ClusterChecks.of(nodes.getNodesList(), StillcutMain.VERSION, Instant.now()));
            return findings;
        } catch (StatusRuntimeException e) {
            return List.of(Finding.fail(
                    subject, connection.describe(e), "stillcut coordinator starts one; a firewall may be in the way"));
        }
    }

    /** A line for each, and the remedies below what they are for. */
    static String text(List<Finding> findings, Style style) {
        int subjects = findings.stream()
                .mapToInt(finding -> finding.subject().length())
                .max()
                .orElse(0);
        int indent = LEVEL_COLUMNS + subjects + 2;
        StringBuilder text = new StringBuilder();
        for (Finding finding : findings) {
            Style.Word word = Style.state(finding.word());
            text.append(style.show(word, word.text()))
                    .repeat(' ', LEVEL_COLUMNS - word.text().length());
            text.append(finding.subject())
                    .repeat(' ', subjects - finding.subject().length() + 2);
            text.append(style.wrapped(finding.seen(), indent)).append('\n');
            if (!finding.remedy().isEmpty()) {
                text.repeat(' ', indent)
                        .append(style.wrapped("do: " + finding.remedy(), indent))
                        .append('\n');
            }
        }
        return text.toString();
    }
}
