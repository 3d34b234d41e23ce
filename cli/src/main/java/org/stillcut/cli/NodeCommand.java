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
            TextTable table = new TextTable("NODE", "STATE", "SLOTS", "MEMORY", "ACCEL", "QEMU", "WHY");
            for (Node node : nodes) {
                NodeDescription description = node.getDescription();
                array.add(Report.node(node));
                table.row(
                        description.getNode(),
                        Report.word(node.getState()),
                        node.getUsedVcpuSlots() + "/" + description.getVcpuSlots(),
                        Quantities.readableBytes(node.getUsedMemoryBytes()) + "/"
                                + Quantities.readableBytes(description.getMemoryBytes()),
                        description.getAccelerator(),
                        description.getQemuVersion(),
                        description.getAcceleratorReason());
            }
            return print(document, nodes.isEmpty() ? "no nodes\n" : table.toString());
        }
    }
}
