"""CPU of a line from the sensor's socket to the hub's PUBACK, no batching; peers do the same work in the same run."""
import random
import statistics

import peers
import shapes
import summary
import unit

NAMES = ("cpu-256", "cpu-4k")
# Measured 2026-11-22 on another machine (docs/benchmarks.md); Debian has no package of it.
AZURE_C_SDK_US = {"256": 9.1, "4k": 10.9}
INSTALLED_WINDOW = 100


class Contest:
    """Rounds of one shape of message, the order drawn anew in each."""

    def __init__(self, shop, gateway, lines, count, rounds):
        self.shop, self.gateway, self.lines, self.rounds = shop, gateway, lines, rounds
        topic, size = gateway.message_of(lines)
        self.line_bytes = statistics.mean(len(line) + 1 for line in lines)
        self.work = peers.Work(topic, size, count)
        self.floods, self.costs = [], {}

    def run(self, rivals):
        self.shop.hub.count_from_here()
        warm = max(1, self.work.count // 10)
        self.gateway.flood(self.lines, warm)  # caches and files are warm for all
        self.shop.hub.expect(warm)
        for number in range(1, self.rounds + 1):
            entrants = [None, *rivals]
            random.shuffle(entrants)
            for rival in entrants:
                self._measure(rival)
            flood = self.floods[-1]
            seen = {"mitral": flood.cpu_us, **{name: costs[-1].cpu_us for name, costs in self.costs.items()}}
            self.shop.say(f"  round {number}/{self.rounds}, µs: "
                          + ", ".join(f"{name} {value:.2f}" for name, value in seen.items()))
        return self

    def _measure(self, rival):
        if rival is None:
            self.floods.append(self.gateway.flood(self.lines, self.work.count))
            self.shop.hub.expect(self.work.count)
        else:
            cost = rival.run(self.work)
            self.costs.setdefault(rival.name, []).append(cost)
            self.shop.hub.expect(cost.messages)

    # -- what came of it -------------------------------------------------------------------------
    def cpu_us(self):
        return [flood.cpu_us for flood in self.floods]

    def ratio_to(self, name):
        """Paired by round: both met the same neighbours on the machine."""
        return [flood.cpu_us / cost.cpu_us for flood, cost in zip(self.floods, self.costs[name])]

    def describe(self):
        text = [f"a line of {self.line_bytes:.0f} bytes becomes a body of {self.work.payload_bytes} bytes on a topic "
                f"of {len(self.work.topic)}; {self.work.count} messages a round, {self.rounds} rounds, median "
                "[least..most]",
                f"mitral, all three processes: {summary.spread(self.cpu_us())} µs"]
        for name in unit.DAEMONS:
            used = [flood.per_message(name) for flood in self.floods]
            user = statistics.median(flood.cpu[name].user_share for flood in self.floods)
            text.append(f"  {name}: {summary.spread(used)} µs, {user:.0%} of it user")
        text.append(f"  hub meanwhile: {summary.spread([f.hub.total / f.messages for f in self.floods])} µs; "
                    f"sender: {summary.spread([f.sender_us / f.messages for f in self.floods])} µs")
        text.append(f"  {summary.spread([f.messages / f.seconds for f in self.floods], 0)} messages/s from the first "
                    "line to the last PUBACK; "
                    f"{summary.spread([f.messages / f.sender_seconds for f in self.floods], 0)} lines/s to disk")
        for name, costs in self.costs.items():
            text.append(f"{name}: {summary.spread([c.cpu_us for c in costs])} µs, "
                        f"{statistics.median(c.user_share for c in costs):.0%} of it user, "
                        f"{summary.spread([c.messages / c.seconds for c in costs], 0)} messages/s; "
                        f"hub {summary.spread([c.hub_us for c in costs])} µs")
        return text

    def peers(self, sdk):
        found = {name: statistics.median(cost.cpu_us for cost in costs) for name, costs in self.costs.items()}
        return {**found, "azure-iot-sdk-c (reference, not in this run)": AZURE_C_SDK_US[sdk]}


def measure(shop, options):
    """cpu-256 stands for four figures: CPU, its ratio to libmosquitto's, and messages a second at two windows."""
    if not any(map(options.wants, NAMES)):
        return
    gateway = unit.Unit(shop, "cpu", unit.Settings(window=options.window)).start()
    rivals = peers.available(shop)
    try:
        if options.wants("cpu-256"):
            contest = Contest(shop, gateway, shapes.line_256(), options.count, options.rounds).run(rivals)
            yield from _small(contest, options)
            yield _installed_window(shop, options)
        if options.wants("cpu-4k"):
            contest = Contest(shop, gateway, shapes.line_4k(), max(1, options.count // 4), options.rounds).run(rivals)
            yield summary.Figure("cpu-4k", statistics.median(contest.cpu_us()), "µs/message",
                                 summary.at_most(16), contest.peers("4k"), contest.describe())
            waves = Contest(shop, gateway, shapes.line_4k_wave(shop.data), max(1, options.count // 20), options.rounds)
            waves.run([])
            yield summary.Figure("cpu-4k-wave", statistics.median(waves.cpu_us()), "µs/message", None, {},
                                 waves.describe())
    finally:
        for rival in rivals:
            rival.close()
        gateway.stop()


def _installed_window(shop, options):
    """With few messages under way a hub that answers late, or is answered late, shows at once."""
    gateway = unit.Unit(shop, "window", unit.Settings(window=INSTALLED_WINDOW)).start()
    try:
        contest = Contest(shop, gateway, shapes.line_256(), options.count, options.rounds).run([])
    finally:
        gateway.stop()
    rates = [flood.messages / flood.seconds for flood in contest.floods]
    return summary.Figure(f"messages-per-s-window-{INSTALLED_WINDOW}", statistics.median(rates), "messages/s", None, {},
                          contest.describe())


def _small(contest, options):
    how = [f"window {options.window}, batch_kb 0, max_messages_per_s 0, software key store"]
    yield summary.Figure("cpu-256", statistics.median(contest.cpu_us()), "µs/message", summary.at_most(6),
                         contest.peers("256"), how + contest.describe())
    if "libmosquitto" in contest.costs:
        ratios = contest.ratio_to("libmosquitto")
        yield summary.Figure("cpu-256-to-libmosquitto", statistics.median(ratios), "ratio", summary.at_most(0.5), {},
                             [f"paired by round: {summary.spread(ratios)}"])
    rates = [flood.messages / flood.seconds for flood in contest.floods]
    shares = [flood.hub.total / 1e6 / flood.seconds for flood in contest.floods]
    ceiling = statistics.median(flood.messages / flood.hub.total * 1e6 for flood in contest.floods)
    yield summary.Figure("messages-per-s", statistics.median(rates), "messages/s", summary.at_least(60_000),
                         {**{name: statistics.median(cost.messages / cost.seconds for cost in costs)
                             for name, costs in contest.costs.items()},
                          "azure-iot-sdk-c (reference, not in this run)": 41_000},
                         [f"the hub used {summary.spread(shares)} of a core meanwhile: with a whole one it would take "
                          f"{ceiling:,.0f} messages/s"])
