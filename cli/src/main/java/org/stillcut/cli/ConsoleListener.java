package org.stillcut.cli;

import java.io.PrintStream;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.OutputChunk;
import org.stillcut.v1.OutputStream;

/** A job's output as this process's own, byte for byte. */
record ConsoleListener(PrintStream out, PrintStream err, boolean verbose) implements JobListener {
    @Override
    public void printed(OutputChunk chunk) {
        PrintStream target = chunk.getStream() == OutputStream.OUTPUT_STREAM_STDOUT ? out : err;
        byte[] data = chunk.getData().toByteArray();
        target.write(data, 0, data.length);
        target.flush();
    }

    @Override
    public void happened(JobEvent event) {
        if (verbose) {
            err.println("stillcut: " + event.getText());
        }
    }

    @Override
    public void stands(Job job) {
        // Only the end is of interest, and that is the watcher's answer.
    }
}
