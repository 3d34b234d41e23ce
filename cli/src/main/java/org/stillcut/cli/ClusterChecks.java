package org.stillcut.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.stillcut.v1.Node;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.NodeState;

/** What the nodes of a cluster say of themselves, and whether they fit together. Pure. */
final class ClusterChecks {
    /** Nodes let hear of them several times in ten seconds; a job's clock may be wrong by less than that. */
    private static final Duration LARGEST_SKEW = Duration.ofSeconds(5);

    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(60);

    private ClusterChecks() {}

    static List<Finding> of(List<Node> nodes, String version, Instant now) {
        if (nodes.isEmpty()) {
            return List.of(Finding.fail(
                    "nodes",
                    "none has joined",
                    "start an agent on each: stillcut agent --node NAME --coordinator ADDRESS"));
        }
        List<Finding> findings = new ArrayList<>();
        nodes.forEach(node -> findings.add(state(node)));
        findings.add(clock(nodes, now));
        findings.add(same("agents", nodes, NodeDescription::getAgentVersion, "update the older ones", Set.of(version)));
        findings.add(
                same("QEMU of nodes", nodes, NodeDescription::getQemuVersion, "install the same on all", Set.of()));
        findings.add(same(
                "accelerators",
                nodes,
                NodeDescription::getAccelerator,
                "a checkpoint of one kind is not restarted on the other",
                Set.of()));
        findings.add(same(
                "images of nodes",
                nodes,
                node -> String.join("+", node.getImagesList()),
                "scripts/setup on those that miss some",
                Set.of()));
        return findings;
    }

    private static Finding state(Node node) {
        NodeDescription description = node.getDescription();
        String subject = "node " + description.getNode();
        if (node.getState() != NodeState.NODE_STATE_UP) {
            String seen = Report.word(node.getState()) + " since " + Report.time(node.getLastHeardUnixMillis());
            return node.getState() == NodeState.NODE_STATE_LOST
                    ? Finding.fail(subject, seen, "start its agent again, and see what it says")
                    : Finding.warn(subject, seen, "look at the network and at its agent");
        }
        if (!description.getAccelerator().equals("kvm")) {
            return Finding.warn(
                    subject,
                    "up, emulated (" + description.getAccelerator() + "): " + description.getAcceleratorReason(),
                    "virtualization in the firmware, or nested virtualization");
        }
        return Finding.ok(subject, "up, " + description.getAccelerator() + ", QEMU " + description.getQemuVersion());
    }

    /** Times of the nodes that are up are the coordinator's, of a moment ago. */
    private static Finding clock(List<Node> nodes, Instant now) {
        List<Duration> ages = nodes.stream()
                .filter(node -> node.getState() == NodeState.NODE_STATE_UP)
                .map(node -> Duration.between(Instant.ofEpochMilli(node.getLastHeardUnixMillis()), now))
                .toList();
        boolean ahead = ages.stream().anyMatch(age -> age.compareTo(LARGEST_SKEW.negated()) < 0);
        boolean behind = !ages.isEmpty() && ages.stream().allMatch(age -> age.compareTo(LONGEST_SILENCE) > 0);
        return ahead || behind
                ? Finding.warn(
                        "clock",
                        "the coordinator's differs by " + ages.getFirst().abs().toSeconds() + " s from this machine's",
                        "NTP on all machines")
                : Finding.ok("clock", "the coordinator's is this machine's");
    }

    private static Finding same(
            String subject,
            List<Node> nodes,
            Function<NodeDescription, String> property,
            String remedy,
            Set<String> wanted) {
        Set<String> values = nodes.stream()
                .filter(node -> node.getState() == NodeState.NODE_STATE_UP)
                .map(node -> property.apply(node.getDescription()))
                .map(value -> value.isEmpty() ? "(not said)" : value)
                .collect(Collectors.toCollection(TreeSet::new));
        String seen = String.join(", ", values);
        boolean wrong = values.size() > 1 || (!wanted.isEmpty() && !values.isEmpty() && !wanted.equals(values));
        if (!wrong) {
            return Finding.ok(subject, values.isEmpty() ? "none is up" : seen);
        }
        return Finding.warn(
                subject, wanted.isEmpty() ? seen : seen + "; this program: " + String.join("", wanted), remedy);
    }
}
