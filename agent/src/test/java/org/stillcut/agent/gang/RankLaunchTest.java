package org.stillcut.agent.gang;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RankLaunchTest {
    private static final String SHIM = "LD_PRELOAD=/usr/local/lib/stillcut-gate.so";
    private static final String GATE = "STILLCUT_GATE=/dev/shm/stillcut-gate";

    private static List<String> arguments(String users, String... environment) {
        return RankLaunch.arguments(List.of(users.split(" ")), List.of(environment));
    }

    private static List<String> words(String words) {
        return List.of(words.split(" "));
    }

    @Test
    void ranksGetTheGateAndTheUsersWordsStayInOrder() {
        assertThat(arguments("-np 4 -x A ./solver -x B"))
                .isEqualTo(words("-x " + SHIM + " -x " + GATE + " -np 4 -x A ./solver -x B"));
    }

    @Test
    void everyContextGetsIt() {
        assertThat(arguments("-np 1 ./a : -np 2 ./b"))
                .isEqualTo(
                        words("-x " + SHIM + " -x " + GATE + " -np 1 ./a : -x " + SHIM + " -x " + GATE + " -np 2 ./b"));
    }

    @Test
    void usersPreloadComesAfterTheGate() {
        assertThat(arguments("-x LD_PRELOAD=/lib/mine.so ./a"))
                .isEqualTo(words("-x " + SHIM + ":/lib/mine.so -x " + GATE + " ./a"));
        assertThat(arguments("-x LD_PRELOAD ./a", "LD_PRELOAD=/lib/env.so"))
                .isEqualTo(words("-x " + SHIM + ":/lib/env.so -x " + GATE + " ./a"));
        assertThat(arguments("-x LD_PRELOAD ./a")).isEqualTo(words("-x " + SHIM + " -x " + GATE + " ./a"));
    }

    @Test
    void transportIsChosenWhereTheUserHasNotChosen() {
        assertThat(RankLaunch.environment(List.of("HOME=/h", "OMPI_MCA_btl=tcp,self")))
                .containsExactly("HOME=/h", "OMPI_MCA_btl=tcp,self", "OMPI_MCA_pml=ob1", "OMPI_MCA_osc=^rdma");
    }
}
