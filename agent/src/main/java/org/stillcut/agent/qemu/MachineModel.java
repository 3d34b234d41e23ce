package org.stillcut.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A machine that is the same wherever it is offered, so that what was saved on it can go on there: QEMU's machine version, and a
 * CPU model. Immutable.
 *
 * <p>Under KVM the model is one of QEMU's named ones, of those that the host's processor has whole. Translated processors are
 * the same on every host, but {@code max} has more with each version of QEMU, which is therefore named with it.
 *
 * @param version for instance {@code pc-q35-7.2}
 * @param cpu for instance {@code EPYC-Rome} or {@code max/tcg-7.2}
 */
public record MachineModel(String version, String cpu) {
    /** What jobs ran on that nobody chose a machine for. */
    public static final MachineModel UNNAMED = new MachineModel(VmMachine.DEFAULT_VERSION, "max");

    private static final Pattern TEXT = Pattern.compile("([A-Za-z0-9._-]{1,40})/([A-Za-z0-9._/-]{1,60})");
    private static final Pattern MAJOR_MINOR = Pattern.compile("(\\d+\\.\\d+).*");

    /** QEMU's models with what MPI programs use of a processor, the newest of each maker first. */
    private static final List<String> NAMED = List.of(
            "SapphireRapids",
            "Icelake-Server-noTSX",
            "Cascadelake-Server-noTSX",
            "EPYC-Milan",
            "EPYC-Rome",
            "EPYC-IBPB",
            "EPYC",
            "Skylake-Server-noTSX-IBRS",
            "Broadwell-noTSX-IBRS",
            "Haswell-noTSX-IBRS",
            "Broadwell-noTSX",
            "Haswell-noTSX",
            "IvyBridge-IBRS",
            "SandyBridge-IBRS",
            "IvyBridge",
            "SandyBridge",
            "Westmere",
            "Nehalem",
            "qemu64");

    /** From its text; empty text is the unnamed machine. */
    public static MachineModel parse(String text) {
        if (text.isEmpty()) {
            return UNNAMED;
        }
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a machine: " + text);
        }
        return new MachineModel(matcher.group(1), matcher.group(2));
    }

    /** What this host offers, best first, as a VM that runs on it tells. */
    public static List<MachineModel> offered(Vm vm, Duration deadline) throws QmpException, InterruptedException {
        return switch (vm.spec().machine().accelerator()) {
            case TCG -> List.of(translated(vm.qmp().version()));
            case KVM -> named(vm.qmp().execute("query-cpu-definitions", deadline));
        };
    }

    static MachineModel translated(String qemuVersion) {
        Matcher matcher = MAJOR_MINOR.matcher(qemuVersion);
        return new MachineModel(
                VmMachine.DEFAULT_VERSION, "max/tcg-" + (matcher.matches() ? matcher.group(1) : qemuVersion));
    }

    /** Those models of which the host's processor has everything. */
    static List<MachineModel> named(JsonNode definitions) {
        Set<String> whole = new HashSet<>();
        for (JsonNode definition : definitions) {
            if (definition.path("migration-safe").asBoolean()
                    && definition.path("unavailable-features").isArray()
                    && definition.path("unavailable-features").isEmpty()) {
                whole.add(definition.path("name").asText());
            }
        }
        return NAMED.stream()
                .filter(whole::contains)
                .map(name -> new MachineModel(VmMachine.DEFAULT_VERSION, name))
                .toList();
    }

    /** The VM's board with this machine. */
    public VmMachine of(Accelerator accelerator, int vcpus, long memoryBytes) {
        int slash = cpu.indexOf('/');
        String model = slash < 0 ? cpu : cpu.substring(0, slash);
        return new VmMachine(VmMachine.DEFAULT_PROGRAM, version, model, accelerator, vcpus, memoryBytes);
    }

    @Override
    public String toString() {
        return version + "/" + cpu;
    }
}
