package org.stillcut.systemtests;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;

/** Who may know whom, over the classes of all modules. The rules are those of the conventions. */
@AnalyzeClasses(
        packages = "org.stillcut",
        importOptions = {ImportOption.DoNotIncludeTests.class})
class ArchitectureTest {

    private static final String PROJECT = "org.stillcut..";
    private static final String PROTOCOL = "org.stillcut.protocol..";
    private static final String STORE = "org.stillcut.store..";
    private static final String COORDINATOR = "org.stillcut.coordinator..";
    private static final String AGENT = "org.stillcut.agent..";
    private static final String CLI = "org.stillcut.cli..";
    private static final String WIRE = "org.stillcut.v1..";

    /** How peers are written down; plain Java, in the module that all programs share. */
    private static final String ADDRESS = "org.stillcut.address..";

    /** Certificates, roles, and what makes TLS of them for gRPC. */
    private static final String SECURITY = "org.stillcut.security..";

    private static final String SYSTEM_TESTS = "org.stillcut.systemtests..";

    /** Outside of rpc packages, who may name gRPC's types, and why. */
    private static final Set<String> OPEN_SERVERS_AND_CHANNELS = Set.of(
            // Opens the server, and gives it the services of the rpc package.
            "org.stillcut.coordinator.CoordinatorServer",
            // Puts the services together, and hands them to the server.
            "org.stillcut.coordinator.Coordinator");

    /** Tools that need no coordinator: an operator's work on the repository itself. */
    private static final DescribedPredicate<JavaClass> WORK_ON_THE_REPOSITORY = DescribedPredicate.describe(
            "commands on the repository, what they read, and their progress",
            type -> type.getName().matches("org\\.stillcut\\.cli\\.(ProgressLine|StoreCommand|StoredCheckpoint).*")
                    || type.isAssignableTo("org.stillcut.cli.RepositoryCommand")
                    || type.getName().startsWith("org.stillcut.cli.RepositoryCommand$"));

    /** Who may ask for the time of the day or draw a random id by itself: those that put a program together, and these. */
    private static final Set<String> ASK_FOR_THE_TIME = Set.of(
            // The guest's wall clock is set to the host's at that very instant; there is nothing to decide by it.
            "org.stillcut.agent.gang.GangVm",
            // Puts the coordinator's parts together, and gives them its clock.
            "org.stillcut.coordinator.Coordinator",
            // What a program takes unless it has something else: the system's files, entropy and clock.
            "org.stillcut.store.repository.StoreEnvironment");

    /** Calls and method references. */
    private static final DescribedPredicate<JavaAccess<?>> TIME_OR_CHANCE =
            DescribedPredicate.describe("the time of the day, or chance", access -> {
                String target = access.getTarget().getOwner().getName() + "." + access.getName();
                return Set.of(
                                "java.lang.System.currentTimeMillis",
                                "java.time.Instant.now",
                                "java.time.InstantSource.system",
                                "java.time.Clock.systemUTC",
                                "java.util.UUID.randomUUID",
                                "java.lang.Math.random")
                        .contains(target);
            });

    private static DescribedPredicate<JavaClass> oneOf(Set<String> names) {
        return DescribedPredicate.describe("one of the exceptions " + names, type -> names.contains(type.getName()));
    }

    private static DescribedPredicate<JavaClass> projectExcept(String... packages) {
        return resideInAPackage(PROJECT).and(DescribedPredicate.not(resideInAnyPackage(packages)));
    }

    @ArchTest
    static final ArchRule protocolDependsOnNoOtherModule =
            noClasses().that().resideInAPackage(PROTOCOL).should().dependOnClassesThat(projectExcept(PROTOCOL));

    @ArchTest
    static final ArchRule storeDependsOnNoOtherModule =
            noClasses().that().resideInAPackage(STORE).should().dependOnClassesThat(projectExcept(STORE));

    @ArchTest
    static final ArchRule wireDependsOnNoOtherModule =
            noClasses().that().resideInAPackage(WIRE).should().dependOnClassesThat(projectExcept(WIRE));

    @ArchTest
    static final ArchRule securityKnowsOnlyAddresses = noClasses()
            .that()
            .resideInAPackage(SECURITY)
            .should()
            .dependOnClassesThat(projectExcept(SECURITY, ADDRESS));

    @ArchTest
    static final ArchRule coordinatorDependsOnPureModulesOnly = noClasses()
            .that()
            .resideInAPackage(COORDINATOR)
            .should()
            .dependOnClassesThat(projectExcept(COORDINATOR, PROTOCOL, STORE, WIRE, ADDRESS, SECURITY));

    @ArchTest
    static final ArchRule agentDependsOnPureModulesOnly = noClasses()
            .that()
            .resideInAPackage(AGENT)
            .should()
            .dependOnClassesThat(projectExcept(AGENT, PROTOCOL, STORE, WIRE, ADDRESS, SECURITY));

    @ArchTest
    static final ArchRule toolsKnowOnlyTheWire = noClasses()
            .that()
            .resideInAPackage(CLI)
            .and(DescribedPredicate.not(WORK_ON_THE_REPOSITORY))
            .should()
            .dependOnClassesThat(projectExcept(CLI, WIRE, ADDRESS, SECURITY));

    @ArchTest
    static final ArchRule repositoryToolsKnowNoDaemon =
            noClasses().that(WORK_ON_THE_REPOSITORY).should().dependOnClassesThat(projectExcept(CLI, STORE));

    @ArchTest
    static final ArchRule nobodyDependsOnTheSystemTests = noClasses()
            .that()
            .resideOutsideOfPackage(SYSTEM_TESTS)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(SYSTEM_TESTS);

    @ArchTest
    static final ArchRule wireTypesStayInRpcPackages = noClasses()
            .that()
            .resideOutsideOfPackages("..rpc..", CLI, WIRE, SECURITY, SYSTEM_TESTS)
            .and(DescribedPredicate.not(oneOf(OPEN_SERVERS_AND_CHANNELS)))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.google.protobuf..", "io.grpc..", WIRE);

    @ArchTest
    static final ArchRule whoOpensServersDoesNotReadMessages = noClasses()
            .that(oneOf(OPEN_SERVERS_AND_CHANNELS))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.google.protobuf..", WIRE);

    @ArchTest
    static final ArchRule databaseStaysBehindIndexAndCatalog = noClasses()
            .that()
            .resideOutsideOfPackages("org.stillcut.store.index..", "org.stillcut.coordinator.catalog..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.rocksdb..");

    @ArchTest
    static final ArchRule foreignFunctionsStayInLinux = noClasses()
            .that()
            .resideOutsideOfPackage("org.stillcut.agent.linux..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.lang.foreign..");

    /** Time, randomness and ids come in through constructors; only what puts a program together may make them. */
    @ArchTest
    static final ArchRule timeAndChanceComeInThroughConstructors = noClasses()
            .that()
            .resideInAnyPackage(PROTOCOL, STORE, COORDINATOR, AGENT)
            .and()
            .haveSimpleNameNotEndingWith("Main")
            .and(DescribedPredicate.not(oneOf(ASK_FOR_THE_TIME)))
            .should()
            .accessTargetWhere(TIME_OR_CHANCE);

    @ArchTest
    static final ArchRule protocolIsPure = noClasses()
            .that()
            .resideInAPackage(PROTOCOL)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "java.util.concurrent..",
                    "java.io..",
                    "java.nio..",
                    "java.net..",
                    "java.util.random..",
                    "java.security..",
                    "java.lang.foreign..",
                    "org.slf4j..")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.Random")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.Thread")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.time.Clock")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.time.InstantSource")
            .orShould()
            .accessTargetWhere(TIME_OR_CHANCE)
            .orShould()
            .callMethod(System.class, "nanoTime");

    /** A seed must replay, so nothing may depend on the order of a hash table. */
    @ArchTest
    static final ArchRule protocolIteratesInOrder = noClasses()
            .that()
            .resideInAPackage(PROTOCOL)
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.HashMap")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.HashSet");

    @ArchTest
    static final ArchRule packagesSayWhatTheyAreFor = classes()
            .that()
            .resideInAPackage(PROJECT)
            .should()
            .resideOutsideOfPackages("..util..", "..utils..", "..common..", "..helper..", "..helpers..", "..manager..");

    @ArchTest
    static final ArchRule classesSayWhatTheyAre = noClasses()
            .that()
            .resideInAPackage(PROJECT)
            .should()
            .haveNameMatching(".*(Util|Utils|Helper|Helpers|Manager)");

    @ArchTest
    static final ArchRule protocolHasNoCycles =
            slices().matching("org.stillcut.protocol.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule storeHasNoCycles =
            slices().matching("org.stillcut.store.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule coordinatorHasNoCycles =
            slices().matching("org.stillcut.coordinator.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule agentHasNoCycles =
            slices().matching("org.stillcut.agent.(*)..").should().beFreeOfCycles();
}
