package org.stillcut.agent.runtime;

import java.time.Duration;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.gang.Gang;
import org.stillcut.agent.gang.GangListener;
import org.stillcut.agent.gang.GangPlan;
import org.stillcut.agent.gang.GangSteps;
import org.stillcut.agent.gang.HostEnvironment;
import org.stillcut.agent.gang.StepException;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.agent.AgentEffect;
import org.stillcut.protocol.agent.AgentEvent;
import org.stillcut.protocol.agent.AgentProtocol;
import org.stillcut.protocol.agent.AgentState;
import org.stillcut.protocol.agent.AgentTransition;

/**
 * The agent's single decision-maker: takes commands and what became of work one at a time, lets the state machine of the job
 * decide, and carries out the effects. Work itself runs beside the loop. Public methods may be called by any thread and do not
 * block, except {@link #held} and {@link #close}.
 */
public final class AgentLoop implements GangListener, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AgentLoop.class);

    /** When the watchdog lets a job go on, and how often it looks. */
    record Patience(Duration silence, Duration hold, Duration look) {
        /**
         * A coordinator that was not heard for some seconds is gone, or this node is cut off. One that is heard may hold a job
         * for longer than its own deadlines for the steps in between: a living coordinator decides first.
         */
        static final Patience USUAL =
                new Patience(Duration.ofSeconds(10), Duration.ofSeconds(90), Duration.ofMillis(500));
    }

    private static final Duration BETWEEN_DELIVERIES = Duration.ofSeconds(1);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final Duration DESTROY = Duration.ofSeconds(20);

    private final AgentId agent;
    private final GangMaker gangs;
    private final Patience patience;
    private final CoordinatorLink coordinator;
    private final FilesDelivery files;
    private final TreeMap<JobId, JobSeat> seats = new TreeMap<>();
    private final ExecutorService loop = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("agent-loop").factory());
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("agent-timer").daemon().factory());

    /** Makes the VMs of an incarnation that are on this node; nothing of them runs yet. */
    @FunctionalInterface
    interface GangMaker {
        GangSteps make(GangPlan plan, SortedSet<VmId> here, GangListener listener);
    }

    public AgentLoop(AgentId agent, HostEnvironment host, CoordinatorLink coordinator) {
        this(agent, (plan, here, listener) -> new Gang(plan, here, host, listener), coordinator, Patience.USUAL);
    }

    AgentLoop(AgentId agent, GangMaker gangs, CoordinatorLink coordinator, Patience patience) {
        this.agent = agent;
        this.gangs = gangs;
        this.coordinator = coordinator;
        this.files = new FilesDelivery(coordinator, BETWEEN_DELIVERIES);
        this.patience = patience;
    }

    /**
     * The coordinator commands a step.
     *
     * @param plan with BOOT and RESTORE
     */
    public void command(Command command, Optional<GangPlan> plan) {
        inLoop(() -> {
            JobSeat seat = seats.computeIfAbsent(command.incarnation().job(), job -> new JobSeat(agent, job));
            feed(seat, new AgentEvent.CommandReceived(command), plan);
        });
    }

    /** A session with the coordinator has begun: says again whatever it may have missed. */
    public void sessionBegan() {
        inLoop(() -> seats.values()
                .forEach(seat -> seat.gang()
                        .ifPresent(gang -> Thread.ofVirtual()
                                .name("say-again-" + gang.incarnation())
                                .start(gang::sayAgain))));
    }

    /** The incarnations of which there are VMs, or remains of VMs. */
    public NavigableSet<Incarnation> held() throws InterruptedException {
        CompletableFuture<NavigableSet<Incarnation>> answer = new CompletableFuture<>();
        inLoop(() -> {
            NavigableSet<Incarnation> held = new TreeSet<>();
            seats.values().forEach(seat -> seat.state.held().ifPresent(held::add));
            answer.complete(held);
        });
        try {
            return answer.get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the agent's loop does not answer", e);
        }
    }

    /** The coordinator has recorded the job's output up to there. */
    public void outputRecorded(Incarnation incarnation, int stream, long offset) {
        inLoop(() -> gangOf(incarnation).ifPresent(gang -> gang.acknowledgeOutput(stream, offset)));
    }

    /** Looks at the job's traffic, beside whatever else is done with its VMs, and tells the coordinator. */
    public void look(Incarnation incarnation, long round, boolean digest) {
        inLoop(() -> gangOf(incarnation)
                .ifPresentOrElse(
                        gang -> Thread.ofVirtual().name("look-" + incarnation).start(() -> look(gang, round, digest)),
                        () -> coordinator.noTraffic(incarnation, round, "it has no VMs of " + incarnation)));
    }

    private void look(GangSteps gang, long round, boolean digest) {
        LogContext.set(gang.incarnation(), Optional.empty());
        try {
            coordinator.traffic(gang.incarnation(), round, gang.look(digest));
        } catch (StepException e) {
            coordinator.noTraffic(gang.incarnation(), round, e.line());
        } catch (RuntimeException e) {
            log.error("{}: looking at its traffic failed", gang.incarnation(), e);
            coordinator.noTraffic(gang.incarnation(), round, "the agent failed: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Hands a signal to the job's mpirun. */
    public void signal(Incarnation incarnation, int signalNumber) {
        inLoop(() -> gangOf(incarnation)
                .ifPresent(gang -> Thread.ofVirtual()
                        .name("signal-" + incarnation)
                        .start(() -> {
                            LogContext.set(incarnation, Optional.empty());
                            try {
                                gang.signal(signalNumber);
                            } catch (GuestException | IllegalStateException e) {
                                log.warn("{}: signal {} not delivered: {}", incarnation, signalNumber, e.getMessage());
                            }
                        })));
    }

    @Override
    public void vmLost(Incarnation incarnation, VmId vm, String reason) {
        LogContext.during(incarnation, () -> log.warn("{}: {} lost: {}", incarnation, vm, reason));
        coordinator.vmLost(incarnation, vm, reason);
    }

    @Override
    public void jobExited(Incarnation incarnation, int exitStatus) {
        LogContext.during(incarnation, () -> log.info("{}: mpirun ended with status {}", incarnation, exitStatus));
        inLoop(() -> gangOf(incarnation).ifPresent(gang -> files.atEnd(gang, exitStatus)));
    }

    /** Sends the coordinator what the job has changed in its directory. */
    public void sendFiles(Incarnation incarnation, FilesRequest request) {
        inLoop(() -> gangOf(incarnation).ifPresent(gang -> files.onDemand(gang, request)));
    }

    @Override
    public void checkpointWanted(Incarnation incarnation, VmId vm, long wish) {
        coordinator.checkpointWanted(incarnation, vm, wish);
    }

    /** What has become of a checkpoint that a program asked for. */
    public void checkpointResult(Incarnation incarnation, VmId vm, long wish, CheckpointOutcome outcome, String text) {
        inLoop(() -> gangOf(incarnation)
                .ifPresent(gang -> Thread.ofVirtual()
                        .name("result-" + incarnation)
                        .start(() -> {
                            LogContext.set(incarnation, Optional.empty());
                            try {
                                gang.checkpointResult(vm, wish, outcome, text);
                            } catch (GuestException | IllegalStateException e) {
                                log.warn("{}: wish {} not answered: {}", incarnation, wish, e.getMessage());
                            }
                        })));
    }

    @Override
    public void output(Incarnation incarnation, int stream, long offset, byte[] data) {
        coordinator.output(incarnation, stream, offset, data);
    }

    private Optional<GangSteps> gangOf(Incarnation incarnation) {
        return Optional.ofNullable(seats.get(incarnation.job()))
                .flatMap(JobSeat::gang)
                .filter(gang -> gang.incarnation().equals(incarnation));
    }

    private void inLoop(Runnable action) {
        try {
            loop.execute(() -> {
                try {
                    action.run();
                } catch (RuntimeException e) {
                    log.error("the agent's loop failed on an event", e);
                }
            });
        } catch (RejectedExecutionException e) {
            log.debug("the agent is ending; an event is dropped");
        }
    }

    private void feed(JobSeat seat, AgentEvent event, Optional<GangPlan> plan) {
        AgentState before = seat.state;
        AgentTransition transition = AgentProtocol.step(before, event);
        seat.state = transition.next();
        log.debug("{} -> {} on {}", before, seat.state, event);
        for (AgentEffect effect : transition.effects()) {
            carryOut(seat, effect, plan);
        }
        if (seat.state instanceof AgentState.Vacant) {
            seat.gang = null;
        }
    }

    private void carryOut(JobSeat seat, AgentEffect effect, Optional<GangPlan> plan) {
        switch (effect) {
            case AgentEffect.Perform perform -> perform(seat, perform.command(), plan);
            case AgentEffect.Interrupt _ -> {
                if (seat.work != null) {
                    seat.work.interrupt();
                }
            }
            case AgentEffect.Answer answer -> coordinator.report(answer.report());
            case AgentEffect.ArmWatchdog arm -> arm(seat, arm.checkpoint());
            case AgentEffect.DisarmWatchdog _ -> disarm(seat);
        }
    }

    private void perform(JobSeat seat, Command command, Optional<GangPlan> plan) {
        if (command.step() == Step.BOOT || command.step() == Step.RESTORE) {
            if (plan.isEmpty()) {
                feed(
                        seat,
                        new AgentEvent.WorkFailed(
                                command.key(), "the command came without a plan", AgentEvent.WorkFailed.Cause.OTHER),
                        plan);
                return;
            }
            seat.gang = gangs.make(plan.get(), command.vms(), this);
            seat.destroyTries = 0;
        }
        GangSteps gang = seat.gang;
        if (gang == null) {
            // Its creation failed before there was anything, so there is nothing to destroy either.
            feed(seat, new AgentEvent.WorkDone(command.key(), new TreeMap<>()), plan);
            return;
        }
        Duration pause = command.step() == Step.DESTROY ? seat.pauseBeforeDestroy() : Duration.ZERO;
        Thread previous = seat.work;
        seat.work = Thread.ofVirtual()
                .name(command.step() + "-" + command.incarnation())
                .start(() -> work(seat, gang, new Work(command.key(), pause, previous)));
    }

    /** What a thread does with a gang, not before {@code previous} has ended and the pause is over. */
    private record Work(
            CommandKey key, Duration pause, @Nullable Thread previous) {}

    /** Runs in a thread of its own. Whatever happens, the loop hears of it. */
    private void work(JobSeat seat, GangSteps gang, Work work) {
        CommandKey key = work.key();
        LogContext.set(key.incarnation(), key.checkpoint());
        AgentEvent result;
        long began = System.nanoTime();
        try {
            if (work.previous() != null) {
                awaitEnd(work.previous());
            }
            if (key.step() == Step.PREPARE && files.isEnding(key.incarnation())) {
                throw new StepException("its mpirun has ended");
            }
            Thread.sleep(work.pause());
            result = StepWork.perform(gang, key);
            log.info("{} done in {} ms", key, (System.nanoTime() - began) / 1_000_000);
        } catch (StepException e) {
            log.warn("{} failed: {}", key, e.line(), e);
            result = new AgentEvent.WorkFailed(key, e.line(), e.kind());
        } catch (InterruptedException e) {
            log.info("{} interrupted", key);
            result = new AgentEvent.WorkFailed(key, "interrupted", AgentEvent.WorkFailed.Cause.OTHER);
        } catch (RuntimeException | Error e) {
            log.error("{} failed unexpectedly", key, e);
            result = new AgentEvent.WorkFailed(key, "the agent failed: " + e, AgentEvent.WorkFailed.Cause.OTHER);
        }
        AgentEvent event = result;
        Thread self = Thread.currentThread();
        inLoop(() -> {
            // Kept, each thread would keep the one before it, back to the first.
            if (self.equals(seat.work)) {
                seat.work = null;
            }
            feed(seat, event, Optional.empty());
        });
    }

    /** Not even an interruption lets two works touch the same VM. */
    private static void awaitEnd(Thread previous) throws InterruptedException {
        boolean interrupted = false;
        while (previous.isAlive()) {
            try {
                previous.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            throw new InterruptedException();
        }
    }

    private void arm(JobSeat seat, CheckpointId checkpoint) {
        disarm(seat);
        long since = System.nanoTime();
        long look = patience.look().toMillis();
        seat.watchdog = timer.scheduleAtFixedRate(
                () -> {
                    boolean held = System.nanoTime() - since > patience.hold().toNanos();
                    if (held || coordinator.silence().compareTo(patience.silence()) > 0) {
                        inLoop(() -> feed(seat, new AgentEvent.CoordinatorSilent(checkpoint), Optional.empty()));
                    }
                },
                look,
                look,
                TimeUnit.MILLISECONDS);
    }

    private static void disarm(JobSeat seat) {
        if (seat.watchdog != null) {
            seat.watchdog.cancel(false);
            seat.watchdog = null;
        }
    }

    /** Ends the agent's part of all jobs: without an agent VMs cannot be found again, so none is left behind. */
    @Override
    public void close() {
        if (loop.isShutdown()) {
            return;
        }
        inLoop(() -> {
            for (JobSeat seat : List.copyOf(seats.values())) {
                seat.state
                        .held()
                        .ifPresent(held ->
                                feed(seat, new AgentEvent.CommandReceived(Command.destroy(held)), Optional.empty()));
            }
        });
        try {
            long deadline = System.nanoTime() + DESTROY.toNanos();
            while (!held().isEmpty() && System.nanoTime() < deadline) {
                Thread.sleep(Duration.ofMillis(20));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        timer.shutdownNow();
        loop.shutdownNow();
    }
}
