package org.stillcut.coordinator.membership;

import java.util.List;
import java.util.Optional;
import org.stillcut.coordinator.output.OutputStreamName;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;

/** The way to one connected agent. Messages arrive in order or not at all; none of the methods blocks. */
public interface AgentLink {
    /** Orders a step; {@code gang} is what BOOT and RESTORE need to know beyond it. */
    void command(Command command, Optional<Gang> gang);

    /** Says that output below the offset is recorded. */
    void acknowledgeOutput(Incarnation incarnation, OutputStreamName stream, long offset);

    /** Asks for a signal to the job's mpirun. */
    void signal(Incarnation incarnation, int signalNumber);

    /** Asks for one look at the job's traffic. */
    void look(Incarnation incarnation, long round, boolean digest);

    /** Asks for what the job has changed in its directory, to be delivered under that number. */
    void files(Incarnation incarnation, long request, boolean contents, List<String> paths);

    /** Tells a program what has become of its wish for a checkpoint. */
    void answer(Wish wish, Wish.Outcome outcome, String text);

    /** Ends the session; the agent keeps its VMs and tries to come back. */
    void close(String reason);
}
