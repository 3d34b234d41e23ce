package org.stillcut.systemtests;

import java.util.ArrayList;
import java.util.List;

/** What the ranks of a job may be doing while checkpoints are taken of it: examples/traffic, pattern by pattern, and examples/storm. */
enum TrafficPattern {
    STORM("storm"),
    WILDCARD("traffic", "wildcard", "--bytes", "20000"),
    WILDCARD_RENDEZVOUS("traffic", "wildcard", "--bytes", "200000"),
    POLLING("traffic", "polling"),
    THREADS("traffic", "threads"),
    LATE("traffic", "late"),
    ONESIDED("traffic", "onesided"),
    NONBLOCKING("traffic", "nonblocking", "--bytes", "100000"),
    SPAWN("traffic", "spawn", "--count", "2"),
    COMPUTE("traffic", "compute"),
    STENCIL_EAGER("traffic", "stencil", "--bytes", "8192"),
    STENCIL_RENDEZVOUS("traffic", "stencil", "--bytes", "160000");

    /** Large enough for some seconds of traffic between two barriers of the storm, in a VM without KVM. */
    private static final String MESSAGES_OF_A_STORM = "5000";

    private final String program;

    @SuppressWarnings("ImmutableEnumChecker") // Made by List.of, which cannot be changed.
    private final List<String> arguments;

    TrafficPattern(String program, String... arguments) {
        this.program = program;
        this.arguments = List.of(arguments);
    }

    /** Its file in build/examples. */
    String program() {
        return program;
    }

    /** Of the four VMs, two are left for the children of a job that spawns. */
    int ranks() {
        return this == SPAWN ? 2 : 4;
    }

    /** The program as mpirun is to run it in the VMs, for so long by the VMs' clock. */
    List<String> forSeconds(int seconds) {
        List<String> command = new ArrayList<>(List.of("./" + program));
        command.addAll(arguments);
        if (this == STORM) {
            command.addAll(List.of("--messages", MESSAGES_OF_A_STORM));
        }
        command.addAll(List.of("--seconds", Integer.toString(seconds)));
        return command;
    }

    /** The program as mpirun is to run it undisturbed on this machine, for as many rounds, without waiting for anybody. */
    List<String> forRounds(String rounds) {
        List<String> command = new ArrayList<>(List.of("./" + program));
        command.addAll(arguments);
        command.addAll(List.of("--rounds", rounds, "--delay", "0"));
        return command;
    }

    boolean isProgress(String line) {
        return line.startsWith(this == STORM ? "storm sent " : "traffic: " + arguments.getFirst() + " round ");
    }

    boolean isResult(String line) {
        return line.startsWith(this == STORM ? "storm: ok " : "traffic: ok " + arguments.getFirst() + " ");
    }
}
