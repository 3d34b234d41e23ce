package org.stillcut.agent.network;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.Deadline;

/**
 * The private network of one incarnation of a job, as far as it is on this node: a network namespace with a bridge, one
 * persistent tap device per local VM, and a tunnel to the other nodes. Nothing in it has an address of the node.
 *
 * <p>Thread-safe. It must be made before its VMs start; closing it while they still run cuts them off from each other.
 */
public final class JobNetwork implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(JobNetwork.class);

    /** All commands together; they take 0.1 s, but the kernel may hold its network lock for seconds on a busy node. */
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final NetworkPlan plan;
    private final CommandRunner commands;
    private final AtomicBoolean closed = new AtomicBoolean();

    private JobNetwork(NetworkPlan plan, CommandRunner commands) {
        this.plan = plan;
        this.commands = commands;
    }

    /**
     * Makes the network. When this returns, all devices are up.
     *
     * @throws NetworkException if it could not be made, for instance because the namespace exists; then what was made of
     *     it is removed again, but not a namespace that was there before
     */
    public static JobNetwork create(NetworkPlan plan, CommandRunner commands)
            throws NetworkException, InterruptedException {
        JobNetwork network = new JobNetwork(plan, commands);
        Deadline deadline = Deadline.after(DEADLINE);
        boolean started = false;
        boolean done = false;
        try {
            for (CommandLine command : NetworkCommands.create(plan)) {
                commands.run(command, deadline.remaining());
                started = true;
            }
            done = true;
            LOG.info(
                    "network {} is up with {} taps",
                    plan.namespace(),
                    plan.taps().size());
            return network;
        } catch (CommandException e) {
            throw new NetworkException(plan.namespace(), e);
        } finally {
            if (started && !done) {
                network.close();
            }
        }
    }

    public NetworkPlan plan() {
        return plan;
    }

    /**
     * Removes the network: when this returns, no packet passes any more, even if a VM should still be alive. May be
     * repeated. A failure is logged; {@link NetworkLeftovers} finds what remained.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        Deadline deadline = Deadline.after(DEADLINE);
        String namespace = plan.namespace();
        boolean interrupted =
                !attempt(NetworkCommands.disconnect(namespace, NetworkCommands.connections(plan)), deadline);
        interrupted |= !attempt(NetworkCommands.remove(namespace), deadline);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        LOG.info("network {} was removed", namespace);
    }

    /** Returns false when the thread was interrupted; the removal then goes on with the next step all the same. */
    private boolean attempt(CommandLine command, Deadline deadline) {
        try {
            commands.run(command, deadline.remaining());
            return true;
        } catch (CommandException e) {
            LOG.warn("network {} was not removed completely", plan.namespace(), e);
            return true;
        } catch (InterruptedException e) {
            LOG.warn("network {}: interrupted during its removal", plan.namespace(), e);
            return false;
        }
    }
}
