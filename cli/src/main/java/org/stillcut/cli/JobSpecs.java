package org.stillcut.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stillcut.v1.JobSpec;

/** Makes of a command line what is sent to the coordinator. */
final class JobSpecs {
    /** Variables that mean something on this machine only. All others are handed to the guest's mpirun. */
    private static final List<String> LOCAL_VARIABLES = List.of(
            "PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "HOSTNAME", "JAVA_HOME", "LD_LIBRARY_PATH");

    private JobSpecs() {}

    static JobSpec of(MpirunArguments arguments, Optional<Path> standardInput, Map<String, String> variables) {
        CkptOptions options = arguments.options();
        JobSpec.Builder spec = JobSpec.newBuilder()
                .setName(options.name().orElseGet(() -> nameOf(arguments.program())))
                .addAllMpirunArguments(arguments.mpirunArguments())
                .addAllEnvironment(environment(variables, arguments.exported()))
                .setWorkingDirectory(options.workingDirectory().toString())
                .setVmCount(arguments.shape().count())
                .setVcpusPerVm(arguments.shape().vcpus())
                .setMemoryBytesPerVm(arguments.memoryBytesPerVm())
                .setDiskBytesPerVm(options.diskBytes())
                .setImage(arguments.image())
                .setCheckpointIntervalMillis(options.interval().toMillis())
                .setCheckpointIntervalAuto(options.automaticInterval())
                .setExpectedMtbfMillis(options.expectedMtbf().toMillis())
                .setMaxRestarts(options.maxRestarts())
                .addAllNodes(arguments.nodes())
                .addAllMostVmsPerNode(arguments.shape().mostPerNode())
                .setSlotsPerVm(arguments.shape().slots())
                .setFreezeOnly(options.freezeOnly())
                .setStandardInput(standardInput.map(Path::toString).orElse(""));
        options.keep().ifPresent(spec::setKeep);
        return spec.build();
    }

    /** What the job's mpirun gets: all but what belongs to this machine, and that too if {@code -x} names it. */
    static List<String> environment(Map<String, String> variables, Set<String> exported) {
        List<String> passed = new ArrayList<>();
        variables.forEach((name, value) -> {
            boolean local = LOCAL_VARIABLES.contains(name) || name.startsWith("STILLCUT_");
            if (!local || exported.contains(name)) {
                passed.add(name + "=" + value);
            }
        });
        passed.sort(null);
        return passed;
    }

    private static String nameOf(String program) {
        Path file = Path.of(program).getFileName();
        String name = file == null ? "" : file.toString().replaceAll("[^A-Za-z0-9._-]", "-");
        return name.matches("[A-Za-z0-9].{0,39}") ? name : "job";
    }
}
