package org.stillcut.systemtests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The programs that the demo can run: what mpirun is given, and how progress and result are told from its output. */
public enum DemoProgram {
    HEAT_JAVA("heat-java", "iteration ", "checksum ") {
        @Override
        List<String> arguments(boolean emulated) {
            List<String> words = new ArrayList<>(List.of("java"));
            words.addAll(List.of("-Xmx48m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", ".:mpi.jar", "Heat"));
            words.addAll(emulated ? EMULATED_HEAT : HEAT);
            return words;
        }

        @Override
        public void stage(Path build, Path directory) throws IOException {
            Files.copy(build.resolve("examples/Heat.class"), directory.resolve("Heat.class"));
            // For the run on this machine; in a VM mpirun finds the image's own.
            Files.copy(build.resolve("openmpi/mpi.jar"), directory.resolve("mpi.jar"));
        }
    },
    HEAT_C("heat-c", "iteration ", "checksum ") {
        @Override
        List<String> arguments(boolean emulated) {
            List<String> words = new ArrayList<>(List.of("./heat"));
            words.addAll(emulated ? EMULATED_HEAT : HEAT);
            return words;
        }

        @Override
        public void stage(Path build, Path directory) throws IOException {
            copyProgram(build, directory, "heat");
        }
    },
    STORM("storm", "storm sent", "storm: ok") {
        @Override
        List<String> arguments(boolean emulated) {
            return List.of("./storm", "--messages", emulated ? "30000" : "3000000");
        }

        @Override
        public void stage(Path build, Path directory) throws IOException {
            copyProgram(build, directory, "storm");
        }
    };

    /** Rows, columns, iterations, lines every so many iterations: about half a minute, so that there is time for the story. */
    private static final List<String> HEAT = List.of("400", "400", "200000", "1000");

    private static final List<String> EMULATED_HEAT = List.of("400", "400", "2400", "20");

    private final String name;
    private final String progress;
    private final String result;

    DemoProgram(String name, String progress, String result) {
        this.name = name;
        this.progress = progress;
        this.result = result;
    }

    static Optional<DemoProgram> named(String name) {
        return Arrays.stream(values())
                .filter(program -> program.name.equals(name))
                .findFirst();
    }

    /**
     * The program and its arguments, as mpirun takes them.
     *
     * @param emulated whether VMs run without KVM, which is about a hundred times slower
     */
    abstract List<String> arguments(boolean emulated);

    /** Puts what the program needs into the job's directory. */
    public abstract void stage(Path build, Path directory) throws IOException;

    String programName() {
        return name;
    }

    public boolean isProgress(String line) {
        return line.startsWith(progress);
    }

    boolean isResult(String line) {
        return line.startsWith(result);
    }

    private static void copyProgram(Path build, Path directory, String program) throws IOException {
        Path copy = directory.resolve(program);
        Files.copy(build.resolve("examples").resolve(program), copy);
        if (!copy.toFile().setExecutable(true)) {
            throw new IOException(copy + " cannot be made executable");
        }
    }
}
