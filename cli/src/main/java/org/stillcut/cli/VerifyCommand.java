package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.StoreException;
import org.stillcut.store.inspect.VerifyReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "verify",
        description = "Looks for damage in a repository, and names the checkpoints that it touches.",
        mixinStandardHelpOptions = true)
final class VerifyCommand extends RepositoryCommand {
    @Option(names = "--read-data", description = "Read all content and check it too.")
    private boolean readData;

    @Option(
            names = "--index",
            paramLabel = "DIR",
            description = "Check this chunk index too, which must not be in use; default: a new one.")
    private @Nullable Path index;

    @Override
    int run() throws StoreException {
        return withRepository(index, (repository, progress) -> {
            VerifyReport report = repository.verify(readData, progress);
            progress.finish();
            print(document(report), text(report));
            return report.isWhole() ? ExitStatus.OK : ExitStatus.DAMAGED;
        });
    }

    private ObjectNode document(VerifyReport report) {
        ObjectNode document = Report.document("verify")
                .put("whole", report.isWhole())
                .put("checkpoints", report.checkpoints())
                .put("packs", report.packs())
                .put("chunks", report.chunks())
                .put("bytesRead", report.bytesRead());
        ArrayNode findings = document.putArray("findings");
        report.findings().forEach(findings::add);
        ArrayNode damaged = document.putArray("damagedCheckpoints");
        report.damaged().forEach((ref, reasons) -> {
            ObjectNode node = damaged.addObject().put("reference", ref.toString());
            ArrayNode array = node.putArray("reasons");
            reasons.forEach(array::add);
        });
        return document;
    }

    private String text(VerifyReport report) {
        StringBuilder text = new StringBuilder();
        report.findings()
                .forEach(finding -> text.append("damage: ").append(finding).append('\n'));
        report.damaged()
                .forEach((ref, reasons) -> text.append("checkpoint ")
                        .append(ref)
                        .append(" cannot be restored: ")
                        .append(reasons.first())
                        .append('\n'));
        text.append(report.isWhole() ? "no damage found: " : "damaged: ")
                .append(report.checkpoints())
                .append(" checkpoints, ")
                .append(report.damaged().size())
                .append(" of them damaged; ")
                .append(report.packs())
                .append(" packs, ")
                .append(report.chunks())
                .append(" chunks, ")
                .append(readData ? Quantities.readableBytes(report.bytesRead()) + " read" : "content not read")
                .append('\n');
        return text.toString();
    }
}
