package org.stillcut.systemtests;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the demo tells is true, with each of its programs. It fails by itself when a result differs. */
@Tag("e2e")
class DemoE2eTest {
    @Test
    void heatInCSurvivesTheLossOfANode() throws Exception {
        try (Demo demo = new Demo(Cluster.projectRoot(), DemoProgram.HEAT_C)) {
            demo.run();
        }
    }
}
