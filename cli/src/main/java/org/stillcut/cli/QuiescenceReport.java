package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.stillcut.v1.Quiescence;

/** What a checkpoint's record says of the traffic at its cut, for people and for programs. */
final class QuiescenceReport {
    private QuiescenceReport() {}

    static String text(Quiescence seen) {
        StringBuilder text = new StringBuilder();
        text.append("quiesced   ").append(seen.getGated() ? "at MPI calls, then frozen" : "frozen only");
        if (!seen.getNotGatedBecause().isEmpty()) {
            text.append(": ").append(seen.getNotGatedBecause());
        }
        text.append('\n');
        if (!seen.getForcedBecause().isEmpty()) {
            text.append("forced     ").append(seen.getForcedBecause()).append('\n');
        }
        return text.append("at the cut ")
                .append(seen.getConnections())
                .append(" connections, nothing on the wire; ")
                .append(Quantities.readableBytes(seen.getUnsentBytes()))
                .append(" unsent, ")
                .append(Quantities.readableBytes(seen.getUnreadBytes()))
                .append(" unread\n")
                .toString();
    }

    static void into(ObjectNode checkpoint, Quiescence seen) {
        ObjectNode node = checkpoint
                .putObject("quiescence")
                .put("gated", seen.getGated())
                .put("notGatedBecause", seen.getNotGatedBecause())
                .put("forced", !seen.getForcedBecause().isEmpty())
                .put("forcedBecause", seen.getForcedBecause())
                .put("connections", seen.getConnections())
                .put("unsentBytes", seen.getUnsentBytes())
                .put("unreadBytes", seen.getUnreadBytes())
                .put("drainRounds", seen.getDrainRounds())
                .put("verifyRounds", seen.getVerifyRounds());
        var digests = node.putArray("digests");
        seen.getDigestsList().forEach(digest -> digests.add(String.format("%016x", digest)));
    }
}
