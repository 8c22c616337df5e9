"""Monitors of every dialect with every fault, through the whole gateway, which is killed twice: what was acknowledged
to them arrives as the recording has it, and nothing of the patients' names with it."""
import base64
import json
import shutil
import sys
import unittest

import stack  # first: it sets the path to the demo's modules
import bedside
import decode
import ledger
import processes
import ward
from support.proves import main, proves

DRAIN_S = 60
SOURCES = ("pcd", "local", "private", "server", "wrong-clock", "batches")


class Place(bedside.Hl7Place):
    """One monitor of each kind, each at an address of its own; `server` is dialled."""

    def __init__(self, directory, ports, code_table):
        super().__init__(directory, ports[:2], code_table)
        self.server_port = ports[2]

    def settings(self):
        own = {source: f"127.0.2.{number}" for number, source in enumerate(SOURCES, 1)}
        settings = super().settings()
        settings["messages_per_s"] = 1000
        settings["monitor"] = [{"source": source, "address": address} for source, address in own.items()
                               if source != "server"]
        by_source = {monitor["source"]: monitor for monitor in settings["monitor"]}
        by_source["local"]["zone"] = bedside.ZONE
        by_source["private"].update(zone="Etc/UTC", dialect="bedside")
        settings["monitor"].append({"source": "server", "dial": f"127.0.0.1:{self.server_port}", "query": "mindray",
                                    "query_s": 1, "dialect": "bedside"})
        return settings

    def beds(self):
        beds = [{"source": source, "from": f"127.0.2.{number}", "to": f"127.0.0.1:{self.plain_port}", "dialect": "pcd",
                 "first_row": 300, "vitals_every_ms": 40, "remarks": True, "faults": ["all"], "fault_percent": 4}
                for number, source in enumerate(SOURCES, 1)]
        by_source = {bed["source"]: bed for bed in beds}
        by_source["pcd"]["waves_every_ms"] = 500
        by_source["local"].update(dialect="local", zone=bedside.ZONE, waves_every_ms=500)
        by_source["private"].update(dialect="private", waves_every_ms=500)
        by_source["server"].update(dialect="queried", listen=f"127.0.0.1:{self.server_port}", to="")
        del by_source["server"]["from"]
        by_source["wrong-clock"]["clock_offset_s"] = -3600
        by_source["batches"].update(batch=5, window=5)
        return beds


@unittest.skipUnless(processes.is_root(), "needs root: the daemons drop to users of their own")
class Monitors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = bedside.BedsideStack(stack.BINARY / "bin", stack.SOURCE)
        cls.addClassCleanup(cls._take_down)
        place = cls.stack.layout
        place.monitors = Place(place.hl7, processes.free_ports(3), stack.SOURCE / "share/codes/bedside.toml")
        cls.stack.start()
        simulator = bedside.Simulator(cls.stack, stack.DATA)
        cls.ward = ward.Ward(cls.stack, simulator.beds)
        cls.ward.start()
        for wanted in (3000, 6000, 9000):
            if not cls.stack.wait_for(lambda most=wanted: cls.ward.acknowledged > most, 60):
                raise AssertionError(f"only {cls.ward.acknowledged} acknowledged: {cls.ward.trouble}")
            if wanted < 9000:
                cls.stack.kill_intake()
        cls.ward.stop()
        cls.understood = cls.stack.not_understood()
        cls.stack.close_intake()
        cls.stack.wait_for(lambda: cls.ward.all_arrived(cls.stack.queued_records())
                           and cls.stack.queued_records() == 0, DRAIN_S)
        cls.ward.end()
        cls.log = list(cls.stack.hub.log())
        cls.report = ledger.balance(place.books, cls.log)

    @classmethod
    def _take_down(cls):
        cls.stack.stop()
        if not getattr(getattr(cls, "report", None), "balanced", False):
            kept = stack.BINARY / "system-logs" / cls.__name__
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(cls.stack.layout.root, kept, symlinks=True,
                            ignore=shutil.ignore_patterns("*.sock", "station", "tpm", "hl7", "*.key"))
            print(f"logs and books of the failed run: {kept}", file=sys.stderr)
        cls.stack.remove()

    @proves("T-DATA-01")
    def test_what_was_acknowledged_arrived_unaltered(self):
        self.assertTrue(self.report.balanced, (self.report.line(), self.report.examples))

    def test_the_intake_was_killed_twice(self):
        self.assertEqual(2, self.stack.parts["mitral-intake-hl7"].restarts)

    @proves("T-DATA-05")
    def test_each_reading_says_how_sure_its_time_is(self):
        said = {}
        for line in self.log:
            for item in decode.observations(line):
                said.setdefault(item.source, set()).add(item.device_clock)
        self.assertEqual({source: {"zone-assumed"} if source in ("local", "private") else
                          {"disagrees"} if source == "wrong-clock" else {"zone-stated"} for source in SOURCES}, said)

    def test_nothing_was_refused(self):
        self.assertEqual([], self.ward.refused)

    def test_every_dialect_and_lane_took_part(self):
        acknowledged, _ = ledger.read_sent(self.stack.layout.books)
        lanes = {(identity[0], sent.lane) for identity, sent in acknowledged.items()}
        self.assertEqual({(source, "vitals") for source in SOURCES}
                         | {(source, "waves") for source in ("pcd", "local", "private")}, lanes)

    def test_the_remarks_are_counted_and_kept_out(self):
        self.assertGreater(sum(self.understood.values()), 0)
        bodies = b"".join(base64.b64decode(line["body"]) for line in self.log)
        for path in sorted(self.stack.layout.books.glob("*.identity.json")):
            person = json.loads(path.read_text(encoding="utf-8"))
            for word in ("family", "given", "id", "birth"):
                # The file holds bytes as code points of the same number.
                self.assertNotIn(person[word].encode("latin-1"), bodies, path.name)
        self.assertIn(b"MDC_ECG_HEART_RATE", bodies, "control: the search would find what is there")


if __name__ == "__main__":
    main()
