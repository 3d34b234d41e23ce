package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.stillcut.v1.ListNodesRequest;
import org.stillcut.v1.Node;
import org.stillcut.v1.NodeDescription;
import picocli.CommandLine.Command;

@Command(
        name = "node",
        description = "Looks at the nodes.",
        mixinStandardHelpOptions = true,
        subcommands = NodeCommand.NodeListCommand.class)
final class NodeCommand {

    @Command(name = "list", description = "Lists the nodes and what they offer.", mixinStandardHelpOptions = true)
    static final class NodeListCommand extends CoordinatorCommand {
        @Override
        int run(CoordinatorConnection connection) {
            List<Node> nodes = connection
                    .nodes()
                    .listNodes(ListNodesRequest.getDefaultInstance())
                    .getNodesList();
            ObjectNode document = Report.document("nodes");
            ArrayNode array = document.putArray("nodes");
            nodes.forEach(node -> array.add(Report.node(node)));
            return print(document, nodes.isEmpty() ? "no nodes\n" : table(nodes).render(Style.ofThisProcess()));
        }

        /** A line for each node. */
        static TextTable table(List<Node> nodes) {
            TextTable table =
                    new TextTable("NODE", "STATE", "SLOTS", "MEMORY", "ACCEL", "QEMU", "TRACKER", "WHY").elastic(7, 0);
            for (Node node : nodes) {
                NodeDescription description = node.getDescription();
                table.row(
                        description.getNode(),
                        Style.state(Report.word(node.getState())),
                        node.getUsedVcpuSlots() + "/" + description.getVcpuSlots(),
                        Quantities.readableBytes(node.getUsedMemoryBytes()) + "/"
                                + Quantities.readableBytes(description.getMemoryBytes()),
                        description.getAccelerator(),
                        description.getQemuVersion(),
                        description.getTracker(),
                        description.getTrackerReason().isEmpty()
                                ? description.getAcceleratorReason()
                                : description.getAcceleratorReason() + "; " + description.getTrackerReason());
            }
            return table;
        }
    }
}
