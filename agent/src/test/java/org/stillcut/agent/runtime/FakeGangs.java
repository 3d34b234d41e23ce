package org.stillcut.agent.runtime;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.stillcut.agent.gang.GangListener;
import org.stillcut.agent.gang.GangPlan;
import org.stillcut.agent.gang.GangSteps;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;

/** Makes gangs for a loop, as a test wants them, and remembers them. */
public final class FakeGangs implements AgentLoop.GangMaker {
    public static final AgentId AGENT = new AgentId("n1");

    private final List<FakeGang> made = new CopyOnWriteArrayList<>();
    private final Consumer<FakeGang> shape;

    FakeGangs(Consumer<FakeGang> shape) {
        this.shape = shape;
    }

    /** A loop over gangs that always do what they are told. */
    public static AgentLoop loop(CoordinatorLink coordinator) {
        return new FakeGangs(gang -> {}).loop(coordinator, Duration.ofMinutes(1));
    }

    /** @param patience how long the job may be held up, or the coordinator be silent meanwhile */
    AgentLoop loop(CoordinatorLink coordinator, Duration patience) {
        return new AgentLoop(
                AGENT, this, coordinator, new AgentLoop.Patience(patience, patience, Duration.ofMillis(5)));
    }

    FakeGang newest() {
        return made.getLast();
    }

    @Override
    public GangSteps make(GangPlan plan, SortedSet<VmId> here, GangListener listener) {
        FakeGang gang = new FakeGang(plan.incarnation());
        shape.accept(gang);
        made.add(gang);
        return gang;
    }

    static GangPlan plan(Incarnation incarnation) {
        return new GangPlan(
                incarnation,
                new GangPlan.Program(List.of("./solver"), List.of(), "/w", 1, true),
                new GangPlan.VmShape(1, 1 << 20, 1 << 20, "base", MachineModel.UNNAMED),
                7,
                new TreeMap<>(Map.of(VmId.LAUNCHER, new GangPlan.Member(AGENT.value(), "192.0.2.1"))),
                false);
    }
}
