package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import java.io.PrintStream;
import java.util.Base64;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.OutputChunk;
import org.stillcut.v1.OutputStream;

/** What a job prints and what happens to it, one JSON object in each line. */
record JsonListener(PrintStream out) implements JobListener {
    @Override
    public void printed(OutputChunk chunk) {
        ByteString data = chunk.getData();
        ObjectNode line = Report.document("output")
                .put("stream", chunk.getStream() == OutputStream.OUTPUT_STREAM_STDOUT ? "stdout" : "stderr")
                .put("offset", chunk.getOffset());
        // A chunk may end in the middle of a character, and a job may print anything.
        if (data.isValidUtf8()) {
            line.put("text", data.toStringUtf8());
        } else {
            line.put("base64", Base64.getEncoder().encodeToString(data.toByteArray()));
        }
        print(line);
    }

    @Override
    public void happened(JobEvent event) {
        print(Report.document("event").put("unixMillis", event.getUnixMillis()).put("text", event.getText()));
    }

    @Override
    public void stands(Job job) {
        // The last state is the command's own last line.
    }

    private void print(ObjectNode line) {
        out.println(Report.print(line));
        out.flush();
    }
}
