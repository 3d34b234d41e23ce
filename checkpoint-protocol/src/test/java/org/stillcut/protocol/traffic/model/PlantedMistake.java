package org.stillcut.protocol.traffic.model;

import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Endpoint;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.traffic.Round;
import org.stillcut.protocol.traffic.TrafficWatch;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;

/**
 * Mistakes that are easily made in the rules. Each is planted by showing the real rules something else than what was seen, so
 * that they conclude what rules with that mistake would. The model must find every one.
 */
enum PlantedMistake implements Looking {
    /** Send counts of the older round are compared with receive counts of the newer one: the wrong way round. */
    RECEIVES_OF_THE_NEWER_ROUND {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            Verdict unused = rule.look(received(before, round));
            return unused instanceof Verdict.Refused ? unused : rule.look(sent(round, before));
        }
    },

    /** One round alone is taken for two. */
    ONE_ROUND_WHILE_NOT_FROZEN {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            Verdict once = rule.look(round);
            return once instanceof Verdict.Open ? rule.look(round) : once;
        }
    },

    UNSENT_IS_IGNORED {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            return rule.look(
                    connections(round, seen -> with(seen, seen.sent(), 0, seen.unread(), seen.unacknowledged())));
        }
    },

    UNACKNOWLEDGED_IS_IGNORED {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            return rule.look(connections(round, seen -> with(seen, seen.sent(), seen.unsent(), seen.unread(), 0)));
        }
    },

    /** A window that is closed is taken to stay closed: the clock is shown to run a thousand times faster. */
    CLOSED_WINDOW_IS_BELIEVED_AT_ONCE {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            return rule.look(vms(
                    round,
                    vm -> new VmTraffic(
                            vm.vm(),
                            vm.monotonicNanos() * 1_000,
                            vm.gateClosed(),
                            vm.frozen(),
                            vm.restored(),
                            vm.parked(),
                            vm.inCall(),
                            vm.outside(),
                            vm.calls(),
                            vm.notHeld(),
                            vm.connections(),
                            vm.digest())));
        }
    },

    /** Whether the other end has room for what waits behind a closed window is not asked. */
    ROOM_AT_THE_OTHER_END_IS_IGNORED {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            return rule.look(
                    connections(round, seen -> with(seen, seen.sent(), seen.unsent(), 1, seen.unacknowledged())));
        }
    },

    /** Of each connection, the end with the higher port is believed to have sent everything, and all of it to have arrived. */
    ONE_END_IS_ENOUGH {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            Map<Way, Long> received = new HashMap<>();
            round.vms()
                    .values()
                    .forEach(vm ->
                            vm.connections().forEach(seen -> received.put(Way.to(vm.vm(), seen), seen.received())));
            return rule.look(vms(
                    round,
                    vm -> ModelVm.with(
                            vm,
                            vm.connections().stream()
                                    .map(seen ->
                                            seen.local().port() < seen.remote().port()
                                                    ? seen
                                                    : with(
                                                            seen,
                                                            received.getOrDefault(Way.from(vm.vm(), seen), seen.sent()),
                                                            0,
                                                            seen.unread(),
                                                            0))
                                    .toList())));
        }
    },

    /** What was frozen once is taken to be frozen for ever. */
    THAW_IS_NOT_SEEN {
        @Override
        public Verdict look(TrafficWatch rule, Round before, Round round) {
            return rule.look(vms(
                    round,
                    vm -> new VmTraffic(
                            vm.vm(),
                            vm.monotonicNanos(),
                            true,
                            true,
                            vm.restored(),
                            vm.parked(),
                            vm.inCall(),
                            vm.outside(),
                            vm.calls(),
                            vm.notHeld(),
                            vm.connections(),
                            vm.digest())));
        }
    };

    /** A direction of a connection; those within a VM have the same addresses in every VM. */
    private record Way(int within, Endpoint from, Endpoint to) {
        static Way to(VmId vm, Connection seen) {
            return new Way(seen.withinVm() ? vm.index() : -1, seen.remote(), seen.local());
        }

        static Way from(VmId vm, Connection seen) {
            return new Way(seen.withinVm() ? vm.index() : -1, seen.local(), seen.remote());
        }
    }

    private static Round vms(Round round, UnaryOperator<VmTraffic> shown) {
        return Round.of(round.vms().values().stream().map(shown).toList());
    }

    private static Round connections(Round round, UnaryOperator<Connection> shown) {
        return vms(
                round,
                vm -> ModelVm.with(vm, vm.connections().stream().map(shown).toList()));
    }

    private static Connection with(Connection seen, long sent, long unsent, long unread, long unacknowledged) {
        return new Connection(
                seen.local(),
                seen.remote(),
                seen.state(),
                seen.withinVm(),
                seen.probesWindow(),
                seen.sentIsGuess(),
                sent,
                seen.received(),
                unsent,
                unread,
                unacknowledged);
    }

    /** The one round with the receive counts of the other. */
    private static Round received(Round round, Round other) {
        return pairwise(round, other, false);
    }

    /** The one round with the send counts of the other. */
    private static Round sent(Round round, Round other) {
        return pairwise(round, other, true);
    }

    private static Round pairwise(Round round, Round other, boolean sent) {
        Map<Way, Connection> others = new HashMap<>();
        other.vms().values().forEach(vm -> vm.connections().forEach(seen -> others.put(Way.from(vm.vm(), seen), seen)));
        return vms(
                round,
                vm -> ModelVm.with(
                        vm,
                        vm.connections().stream()
                                .map(seen -> {
                                    Connection then = others.getOrDefault(Way.from(vm.vm(), seen), seen);
                                    return new Connection(
                                            seen.local(),
                                            seen.remote(),
                                            seen.state(),
                                            seen.withinVm(),
                                            seen.probesWindow(),
                                            seen.sentIsGuess(),
                                            sent ? then.sent() : seen.sent(),
                                            sent ? seen.received() : then.received(),
                                            seen.unsent(),
                                            seen.unread(),
                                            seen.unacknowledged());
                                })
                                .toList()));
    }
}
