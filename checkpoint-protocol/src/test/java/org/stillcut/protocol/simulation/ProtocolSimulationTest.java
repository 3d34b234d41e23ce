package org.stillcut.protocol.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stillcut.protocol.simulation.Seeds.Finding;
import org.stillcut.protocol.simulation.Seeds.Tally;

/** Many runs of the real state machines, and proof that they would not miss a mistake. */
class ProtocolSimulationTest {
    /** The page is part of the project, not of this module: {@code docs/protocol.md}. */
    private static final Path PAGE = Path.of("..", "docs", "protocol.md");

    @Test
    void invariantsHoldForEverySeedAndThePageShowsTheTransitionsSeen() throws IOException {
        Tally tally = new Tally();
        long single = Long.getLong("stillcut.sim.seed", 0);
        Optional<Finding> finding =
                single > 0 ? Seeds.runOne(single, Cores.REAL, tally) : Seeds.run(Seeds.IN_BUILD, Cores.REAL, tally);
        assertThat(finding.map(found -> Seeds.explain(found, Cores.REAL))).isEmpty();
        // Fewer seeds see less, and more may see more, than the page tells.
        if (single == 0 && Seeds.IN_BUILD == Seeds.DEFAULT) {
            checkPage("coordinator", tally.coverage.coordinatorTable());
            checkPage("agent", tally.coverage.agentTable());
            assertThat(drawnMoves()).as("arrows in %s", PAGE).isEqualTo(tally.coverage.coordinatorMoves());
        }
    }

    @ParameterizedTest
    @EnumSource
    void plantedBugIsFound(PlantedBug bug) {
        Optional<Finding> finding = Seeds.run(Seeds.DEFAULT, bug, new Tally());
        assertThat(finding).as("what the simulation says of %s", bug).isPresent();
    }

    @Test
    void sameSeedMakesSameRun() {
        Simulation first = new Simulation(7, Cores.REAL, true);
        Simulation second = new Simulation(7, Cores.REAL, true);
        first.run();
        second.run();
        assertThat(first.trace()).isNotEmpty().isEqualTo(second.trace());
    }

    /** The arrows of the state chart, without the one that leads to the first state. */
    private static SortedSet<String> drawnMoves() throws IOException {
        return Pattern.compile("^ +([A-Z]+ --> [A-Z]+) :", Pattern.MULTILINE)
                .matcher(Files.readString(PAGE))
                .results()
                .map(arrow -> arrow.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** With {@code -Dstillcut.sim.writePage=true} the page is written instead of compared. */
    private static void checkPage(String name, String table) throws IOException {
        String begin = "<!-- begin " + name + " transitions -->\n";
        String end = "<!-- end " + name + " transitions -->\n";
        String page = Files.readString(PAGE);
        assertThat(page).contains(begin, end);
        int from = page.indexOf(begin) + begin.length();
        int to = page.indexOf(end);
        if (Boolean.getBoolean("stillcut.sim.writePage")) {
            Files.writeString(PAGE, page.substring(0, from) + table + page.substring(to));
        } else {
            assertThat(page.substring(from, to))
                    .as("transitions in %s; write them with -Dstillcut.sim.writePage=true", PAGE)
                    .isEqualTo(table);
        }
    }
}
