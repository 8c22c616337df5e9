#!/usr/bin/python3
"""What passes between a unit and its networks, seen on the cables: by the rules, and as a control without them.

board/common/development/egress goes through four phases on the unit: rules, rules while the kernel forwards, no rules,
and no rules while it forwards. Only the last may carry something from one network to the other.
"""
import collections
import re
import select
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import board_chain  # noqa: E402
import disk  # noqa: E402
import wire  # noqa: E402

WITH_RULES, WITHOUT = ("rules", "forwarding"), ("open", "bare")
UNIT, NEIGHBOUR = {"wan": "10.0.2.15", "ward1": "10.0.11.15"}, {"wan": "10.0.2.2", "ward1": "10.0.11.2"}
# Who tries to reach which port of the wide area, and whether it is let out.
ATTEMPTS = (("mitral-uplink", 8883, True), ("mitral-uplink", 443, False), ("mitral-enrol", 443, True),
            ("mitral-timed", 2002, True), ("mitral-intake-hl7", 8883, False), ("mitral-vault", 443, False),
            ("root", 8883, False), ("root", 53, False))
KNOCKED = (22, 2575, 2576, 2577)
INTAKE = {2575, 2576}
SETTINGS = board_chain.ROOT / "board" / "common" / "sysctl.conf"
OTHER = {"wan": "ward1", "ward1": "wan"}


class Firewall(board_chain.Board):
    def setUp(self):
        super().setUp()
        self.wires = [wire.Wire("wan", "52:54:00:6d:00:01", self.folder),
                      wire.Wire("ward1", "52:54:00:6d:01:01", self.folder)]
        for each in self.wires:
            self.addCleanup(each.close)
        self.tried = collections.defaultdict(set)      # phase -> attempts that were seen outside
        self.answered = collections.defaultdict(set)   # (phase, network) -> ports that gave a sign
        self.carried = collections.defaultdict(set)    # phase -> networks onto which something was carried over
        data = self.folder / "data"
        (data / "etc").mkdir(parents=True)
        (data / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
        (data / "egress").write_text("".join(f"{user} {at} {port}\n" for at, (user, port, _) in enumerate(ATTEMPTS)))
        disk.write_data(self.unit.disk, data)

    def knock(self, own_port):
        """From each network: to ports of the unit, and past it to a neighbour on the other network."""
        for each in self.wires:
            for port in KNOCKED:
                each.send(wire.syn(NEIGHBOUR[each.name], UNIT[each.name], port, own_port))
            each.send(wire.udp(NEIGHBOUR[each.name], NEIGHBOUR[OTHER[each.name]], 9))

    def watch(self, phase):
        """The unit says that it changes before it does: what came while it had not said so belongs to the phase."""
        came = [(each, seen) for each in self.wires for seen in each.seen()]
        self.unit.listen(0)
        if self.phase() != phase:
            return
        for each, seen in came:
            if seen.source == NEIGHBOUR[OTHER[each.name]]:
                self.carried[phase].add(each.name)
            elif seen.opens and seen.target.startswith("10.9."):
                self.tried[phase].add(ATTEMPTS[int(seen.target.rpartition(".")[2])][:2])
            elif seen.answers and seen.target == NEIGHBOUR[each.name]:
                self.answered[phase, each.name].add(seen.source_port)

    def phase(self):
        told = re.findall(r"^egress: (?:phase )?(\w+)$", self.unit.text(), re.MULTILINE)
        return told[-1] if told else "before"

    def go_through_all_phases(self):
        self.unit.start(*self.wires[0].for_qemu, *self.wires[1].for_qemu)
        deadline, own_port = time.monotonic() + 900, 20000
        while (now := self.phase()) != "over":
            self.assertLess(time.monotonic(), deadline, self.unit.text()[-2000:])
            if now in (*WITH_RULES, *WITHOUT):
                own_port = own_port + 1 if own_port < 60000 else 20000
                self.knock(own_port)
            select.select([self.unit.process.stdout, *self.wires], [], [], 0.1)
            self.watch(now)

    def test_what_passes_and_what_does_not(self):
        self.go_through_all_phases()
        told = f"{dict(self.tried)} {dict(self.answered)} {dict(self.carried)}\n{self.unit.text()[-3000:]}"
        for phase in WITH_RULES:
            self.assertEqual(self.tried[phase], {(user, port) for user, port, passes in ATTEMPTS if passes}, told)
            self.assertEqual(self.answered[phase, "ward1"], INTAKE, told)
            self.assertEqual(self.answered[phase, "wan"], set(), told)
            self.assertEqual(self.carried[phase], set(), told)
        for phase in WITHOUT:  # control: it was the rules
            self.assertEqual(self.tried[phase], {attempt[:2] for attempt in ATTEMPTS}, told)
            self.assertEqual(self.answered[phase, "ward1"], set(KNOCKED), told)
            self.assertEqual(self.answered[phase, "wan"], set(KNOCKED), told)
        self.assertEqual(self.carried["open"], set())  # the kernel's own setting holds by itself
        self.assertEqual(self.carried["bare"], {"wan", "ward1"}, told)
        self.settings_were_taken()

    def settings_were_taken(self):
        """As the start's report has it, of all that /etc/sysctl.d asks for; IPv6's may be missing as a whole."""
        told = self.unit.text()
        self.assertEqual(re.findall(r"^board: ([\w.]+ is .*)$", told, re.MULTILINE), [])
        asked = len(re.findall(r"^[a-z].* = ", SETTINGS.read_text(), re.MULTILINE)) + 1  # and the lock of modules
        taken = re.search(r"^board: (\d+) settings taken$", told, re.MULTILINE)
        self.assertIsNotNone(taken, told[-1000:])
        self.assertGreaterEqual(int(taken[1]), asked)


if __name__ == "__main__":
    unittest.main(verbosity=2)
