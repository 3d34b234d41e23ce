package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MpirunArgumentsTest {
    private static final Path HERE = Path.of("/nowhere/run");

    @TempDir
    private Path directory;

    /** Of words separated by blanks. */
    private static MpirunArguments parse(String words) throws UsageException {
        return MpirunArguments.parse(List.of(words.split(" ")), HERE);
    }

    private static void assertRefused(String words, String line) {
        assertThatThrownBy(() -> parse(words))
                .as(words)
                .isInstanceOfSatisfying(
                        UsageException.class, e -> assertThat(e.line()).isEqualTo(line));
    }

    @Test
    void bareOptionHasTheDefaults() throws UsageException {
        MpirunArguments arguments = parse("--ckpt -np 4 ./solver");
        CkptOptions options = arguments.options();
        assertThat(arguments.mpirunArguments()).containsExactly("-np", "4", "./solver");
        assertThat(arguments.nodes()).isEmpty();
        assertThat(arguments.ranks()).isEqualTo(4);
        assertThat(arguments.program()).isEqualTo("./solver");
        assertThat(arguments.shape().count()).isEqualTo(4);
        assertThat(arguments.shape().slots()).isEqualTo(1);
        assertThat(arguments.image()).isEqualTo("base");
        assertThat(options.coordinator()).isEmpty();
        assertThat(options.name()).isEmpty();
        assertThat(options.interval()).isZero();
        assertThat(options.maxRestarts()).isEqualTo(3);
        assertThat(arguments.shape().vcpus()).isEqualTo(1);
        assertThat(arguments.memoryBytesPerVm()).isEqualTo(256L << 20);
        assertThat(options.diskBytes()).isEqualTo(1L << 30);
        assertThat(options.workingDirectory()).isEqualTo(HERE);
        assertThat(options.verbose()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "="})
    void everyOptionIsTakenInBothSpellings(String between) throws UsageException {
        String words = "--ckpt-coordinator host:7070 --ckpt-name heat --ckpt-interval 10m --ckpt-max-restarts 0"
                + " --ckpt-vms 3 --ckpt-vcpus 2 --ckpt-memory 2G --ckpt-disk 512M --ckpt-image java"
                + " --ckpt-workdir ../data --ckpt-verbose -np 7 ./solver";
        String spelled = words.replaceAll("(--ckpt-(?!verbose)[a-z-]+) ", "$1" + between);
        MpirunArguments arguments = parse(spelled);
        CkptOptions options = arguments.options();
        assertThat(options.coordinator()).contains("host:7070");
        assertThat(options.name()).contains("heat");
        assertThat(options.interval()).isEqualTo(Duration.ofMinutes(10));
        assertThat(options.maxRestarts()).isZero();
        assertThat(options.virtualMachines()).contains(3);
        assertThat(options.vcpus()).contains(2);
        assertThat(options.memoryBytes()).contains(2L << 30);
        assertThat(options.diskBytes()).isEqualTo(512L << 20);
        assertThat(options.image()).contains("java");
        assertThat(options.workingDirectory()).isEqualTo(Path.of("/nowhere/data"));
        assertThat(options.verbose()).isTrue();
        assertThat(arguments.shape().count()).isEqualTo(3);
        assertThat(arguments.shape().slots()).isEqualTo(3);
        assertThat(arguments.image()).isEqualTo("java");
        assertThat(arguments.mpirunArguments()).containsExactly("-np", "7", "./solver");
    }

    @Test
    void ourOptionsMayStandAnywhereBeforeTheProgram() throws UsageException {
        MpirunArguments arguments =
                parse("--mca btl tcp,self --ckpt-vms 2 -x A=1 --oversubscribe -np 2 --ckpt-verbose ./a.out");
        assertThat(arguments.mpirunArguments())
                .containsExactly("--mca", "btl", "tcp,self", "-x", "A=1", "--oversubscribe", "-np", "2", "./a.out");
        assertThat(arguments.options().verbose()).isTrue();
    }

    @Test
    void argumentsOfTheProgramStayItsOwn() throws UsageException {
        MpirunArguments arguments = parse("--ckpt -np 2 ./a.out --ckpt-vms 9 -np 5 --host x --ckpt-nonsense --mca");
        assertThat(arguments.mpirunArguments())
                .containsExactly(
                        "-np",
                        "2",
                        "./a.out",
                        "--ckpt-vms",
                        "9",
                        "-np",
                        "5",
                        "--host",
                        "x",
                        "--ckpt-nonsense",
                        "--mca");
        assertThat(arguments.options().virtualMachines()).isEmpty();
        assertThat(arguments.nodes()).isEmpty();
        assertThat(arguments.ranks()).isEqualTo(2);
    }

    @Test
    void contextsAddUpTheirRanksAndKeepTheirOrder() throws UsageException {
        MpirunArguments arguments =
                parse("--ckpt -np 1 -host a ./master --port 1 : -n 3 -host b,a:2 ./worker -v : -c 2 ./io");
        assertThat(arguments.mpirunArguments())
                .containsExactly(
                        "-np",
                        "1",
                        "./master",
                        "--port",
                        "1",
                        ":",
                        "-n",
                        "3",
                        "./worker",
                        "-v",
                        ":",
                        "-c",
                        "2",
                        "./io");
        assertThat(arguments.ranks()).isEqualTo(6);
        assertThat(arguments.program()).isEqualTo("./master");
        assertThat(arguments.nodes()).containsExactly("a", "b");
    }

    @Test
    void hostListsBecomeNodes() throws UsageException {
        assertThat(parse("--ckpt -np 2 -H a:4,b,,a --host c ./x").nodes()).containsExactly("a", "b", "c");
        assertThat(parse("--ckpt -np 2 -H a ./x").mpirunArguments()).containsExactly("-np", "2", "./x");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--hostfile", "-hostfile", "--machinefile", "-machinefile", "--default-hostfile"})
    void hostFilesBecomeNodes(String option) throws IOException, UsageException {
        Path file = directory.resolve("hosts");
        Files.writeString(file, "# nodes\nn1 slots=4\n\n  n2\tslots=2 # old\nn1\nn3");
        MpirunArguments arguments =
                MpirunArguments.parse(List.of("--ckpt", option, file.toString(), "-np", "2", "./x"), HERE);
        assertThat(arguments.nodes()).containsExactly("n1", "n2", "n3");
        assertThat(arguments.mpirunArguments()).containsExactly("-np", "2", "./x");
    }

    @Test
    void hostFileIsLookedForWhereTheUserIs() throws IOException, UsageException {
        Files.writeString(directory.resolve("hosts"), "n1\n");
        MpirunArguments arguments = MpirunArguments.parse(
                List.of("--ckpt-workdir", "/elsewhere", "-hostfile", "hosts", "-np", "1", "./x"), directory);
        assertThat(arguments.nodes()).containsExactly("n1");
    }

    @Test
    void missingHostFileIsRefused() {
        assertRefused("--ckpt -np 2 --hostfile /nowhere/hosts ./x", "hostfile /nowhere/hosts: cannot be read");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--ckpt-coordinator", "--ckpt-name", "--ckpt-interval", "--ckpt-max-restarts", "--ckpt-vms",
                "--ckpt-vcpus", "--ckpt-memory", "--ckpt-disk", "--ckpt-image", "--ckpt-workdir"
            })
    void optionOfOursWithoutItsValueIsRefused(String option) {
        assertRefused("-np 2 " + option, option + " needs a value");
        assertRefused(option + " -np 2 ./x", option + " needs a value");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-np", "--mca a", "-x", "--host", "--hostfile", "--map-by", "-wdir"})
    void optionOfMpirunWithoutItsValueIsRefused(String words) {
        assertRefused("--ckpt " + words, words.split(" ", 2)[0] + " needs a value");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--ckpt-nonsense 1", "--ckpt-nonsense=1", "--ckpt-verbose=1", "--ckpt- 1", "--ckpt-vm 2"})
    void unknownOptionOfOursIsRefused(String words) {
        assertRefused(words + " -np 2 ./x", words.split("[ =]", 2)[0] + ": unknown option");
    }

    @Test
    void valuesOutOfBoundsAreRefused() {
        assertRefused("--ckpt-vms 0 -np 1 ./x", "--ckpt-vms 0: not a number from 1 to 250");
        assertRefused("--ckpt-vms 251 -np 1 ./x", "--ckpt-vms 251: not a number from 1 to 250");
        assertRefused("--ckpt-vcpus=256 -np 1 ./x", "--ckpt-vcpus 256: not a number from 1 to 255");
        assertRefused("--ckpt-max-restarts=-1 -np 1 ./x", "--ckpt-max-restarts -1: not a number from 0 to 1000000");
        assertRefused("--ckpt-interval 0 -np 1 ./x", "--ckpt-interval 0: must be at least 1s");
        assertRefused("--ckpt-keep 3 -np 1 ./x", "--ckpt-keep 3: rules are such as last=3,hourly=24");
        assertRefused("--ckpt-keep yearly=3 -np 1 ./x", "--ckpt-keep yearly=3: rules are last, hourly, daily, weekly");
        assertRefused("--ckpt-signal TERM -np 1 ./x", "--ckpt-signal TERM: is USR1 or USR2");
        assertRefused("--ckpt-interval soon -np 1 ./x", "--ckpt-interval soon: not a duration such as 30s, 10m or 2h");
        assertRefused("--ckpt-memory 1.5G -np 1 ./x", "--ckpt-memory 1.5G: not a size such as 256M or 2G");
        assertRefused("--ckpt-name a/b -np 1 ./x", "--ckpt-name a/b: at most 40 letters, digits, '.', '_' or '-'");
        assertRefused("--ckpt -np 0 ./x", "-np 0: not a number from 1 to 4096");
        assertRefused("--ckpt -np 4097 ./x", "-np 4097: not a number from 1 to 4096");
        assertRefused("--ckpt -np x ./x", "-np x: not a number from 1 to 4096");
        assertRefused("--ckpt -np 4000 ./x : -np 97 ./y", "-np 97: not a number from 1 to 96");
    }

    @Test
    void programAndRanksAreRequired() {
        assertRefused("--ckpt -np 2", "no program given");
        assertRefused("--ckpt ./x", "a job with checkpoints needs the number of ranks: -np N");
        assertThatThrownBy(() -> MpirunArguments.parse(List.of(), HERE)).isInstanceOf(UsageException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--ckpt -np 2 : -np 2 ./y", "--ckpt -np 2 ./x : -np 2", ": ./x"})
    void everyContextNeedsAProgram(String words) {
        assertRefused(words, "no program given");
    }

    @Test
    void lastOfTwoContradictingWordsCounts() throws UsageException {
        assertThat(parse("--ckpt-vms 2 --ckpt-vms=3 -np 4 ./x").shape().count()).isEqualTo(3);
    }

    @Test
    void enoughVmsForAllRanks() throws UsageException {
        assertThat(parse("--ckpt-vcpus 4 -np 9 ./x").shape().count()).isEqualTo(3);
        assertThat(parse("--ckpt-vcpus 4 -np 9 ./x").shape().slots()).isEqualTo(4);
        assertThat(parse("--ckpt-vms 2 -np 9 ./x").shape().slots()).isEqualTo(5);
        assertThat(parse("--ckpt-vms 8 -np 2 ./x").shape().slots()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"java", "/usr/bin/java"})
    void javaProgramsGetTheImageWithJava(String program) throws UsageException {
        assertThat(parse("--ckpt -np 2 " + program + " Heat").image()).isEqualTo("java");
        assertThat(parse("--ckpt-image base -np 2 " + program + " Heat").image())
                .isEqualTo("base");
    }

    @Test
    void linkedWorkingDirectoryIsFollowed() throws IOException, UsageException {
        Path real = Files.createDirectory(directory.toRealPath().resolve("real"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), real);
        assertThat(MpirunArguments.parse(List.of("--ckpt-workdir=" + link, "-np", "1", "./x"), HERE)
                        .options()
                        .workingDirectory())
                .isEqualTo(real);
    }

    @Test
    void quiescingIsByTheGateUnlessItWasSaidOtherwise() throws UsageException {
        assertThat(parse("--ckpt -np 2 ./x").options().freezeOnly()).isFalse();
        assertThat(parse("--ckpt-quiesce=gate -np 2 ./x").options().freezeOnly())
                .isFalse();
        assertThat(parse("--ckpt-quiesce freeze -np 2 ./x").options().freezeOnly())
                .isTrue();
        assertThatThrownBy(() -> parse("--ckpt-quiesce hope -np 2 ./x"))
                .hasMessage("--ckpt-quiesce hope: is gate or freeze");
    }

    @Test
    void parameterSetForCheckpointsIsOurs() throws UsageException {
        for (String set : List.of("ft-enable-cr", "ft-enable-cr-recovery")) {
            assertThat(MpirunArguments.askForCheckpoints(List.of("-am", set, "./a")))
                    .isTrue();
            assertThat(parse("-am " + set + " -np 2 ./a").mpirunArguments()).containsExactly("-np", "2", "./a");
        }
        assertThat(MpirunArguments.askForCheckpoints(List.of("-am", "mine", "./a")))
                .isFalse();
        assertThat(parse("--ckpt -am mine -np 2 ./a").mpirunArguments())
                .containsExactly("-am", "mine", "-np", "2", "./a");
    }

    @Test
    void emptyHostFileIsRefused() throws IOException {
        Path file = Files.writeString(directory.resolve("hosts"), "# nobody\n\n");
        assertRefused("--ckpt -np 2 --hostfile " + file + " ./x", "hostfile " + file + " names no host");
    }

    @Test
    void negativeNumberIsNamedAsTheWrongValueItIs() {
        assertRefused("--ckpt-max-restarts -1 -np 1 ./x", "--ckpt-max-restarts -1: not a number from 0 to 1000000");
    }

    @Test
    void programsAndFilesOfAllContextsAreKnown() throws UsageException {
        MpirunArguments arguments =
                parse("--ckpt -np 1 -rf ranks ./a : -wdir sub -np 1 ./b : -wdir /data -x HOME -np 1 c");
        assertThat(arguments.programs())
                .containsExactly(
                        new MpirunArguments.Program("./a", HERE),
                        new MpirunArguments.Program("./b", HERE.resolve("sub")),
                        new MpirunArguments.Program("c", Path.of("/data")));
        assertThat(arguments.files()).containsExactly(HERE.resolve("ranks"), HERE.resolve("sub"), Path.of("/data"));
        assertThat(arguments.exported()).containsExactly("HOME");
    }

    @Test
    void inputAndStopsAreAsMpirunIsTold() throws UsageException {
        assertThat(parse("--ckpt --stdin none -np 1 ./x").ignoresInput()).isTrue();
        assertThat(parse("--ckpt -stdin all -np 1 ./x").readsInput()).isTrue();
        assertThat(parse("--ckpt -np 1 ./x").readsInput()).isFalse();
        assertThat(parse("--ckpt --mca orte_forward_job_control 1 -np 1 ./x").stopsTogether())
                .isTrue();
        assertThat(parse("--ckpt --mca orte_forward_job_control 0 -np 1 ./x").stopsTogether())
                .isFalse();
    }

    @Test
    void applicationFileBecomesContexts() throws IOException, UsageException {
        Path file = Files.writeString(directory.resolve("apps"), "# two\n-np 2 ./a 1\n\n-np 3  ./b # three\n");
        assertThat(parse("--ckpt --tag-output --app " + file + " -x A=1").mpirunArguments())
                .containsExactly("--tag-output", "-x", "A=1", "-np", "2", "./a", "1", ":", "-np", "3", "./b");
        assertThat(parse("--ckpt --app " + file).ranks()).isEqualTo(5);
        assertRefused("--ckpt --app " + file + " ./c", "a program and --app at the same time");
        assertRefused("--ckpt --app", "--app needs a value");
        assertRefused("--ckpt --app /nowhere/apps", "application file /nowhere/apps: cannot be read");
        Path empty = Files.writeString(directory.resolve("empty"), "#\n");
        assertRefused("--ckpt --app " + empty, "application file " + empty + " names no program");
        // What comes after the program is the program's.
        assertThat(parse("--ckpt -np 1 ./x --app y").mpirunArguments())
                .containsExactly("-np", "1", "./x", "--app", "y");
    }

    @Test
    void checkpointOptionsOfTheProgramAreNotOurs() {
        assertThat(MpirunArguments.askForCheckpoints(List.of("--mca", "btl", "tcp", "--ckpt", "./a")))
                .isTrue();
        assertThat(MpirunArguments.askForCheckpoints(List.of("-np", "2", "./a", "--ckpt")))
                .isFalse();
        assertThat(MpirunArguments.askForCheckpoints(List.of("-x", "--ckpt-name", "./a")))
                .isFalse();
        assertThat(MpirunArguments.askForCheckpoints(List.of())).isFalse();
    }
}
