"""Faults on demand meet a client that we ship, the uplink: whatever strikes, every message arrives in the end."""
import json
import pathlib
import tempfile
import unittest

from cloud.local_azure import LocalAzure, sas, wait_until
from support.proves import main, proves
from uplink.trust_rollover import Fleet
from uplink.uplink_support import Gateway

BATCH = 30


class Root:
    def __init__(self, file):
        self.file = file


class Recovery(unittest.TestCase):
    def setUp(self):
        self.azure = LocalAzure().__enter__()
        self.addCleanup(self.azure.__exit__, None, None, None)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.scratch = pathlib.Path(directory.name)
        key = self.azure.device("unit-1")["primary_key"]
        self.gateway = Gateway(self.scratch, self.azure.ports["mqtt"], [self.azure.ca], keep_alive_s=10,
                               **self.settings())
        self.gateway.token = sas(key, f"{self.azure.hub}/devices/unit-1")
        self.addCleanup(self.gateway.stop)
        self.sent = 0

    def settings(self):
        return {}

    def ask(self, path, method="POST"):
        return json.loads(self.azure.admin(f"/faults{path}", method))

    def fired(self, name):
        return next(row for row in self.ask("", "GET")["faults"] if row["name"] == name)["fired"]

    def fill(self):
        self.gateway.fill(BATCH, first=self.sent + 1, batch=1)
        self.sent += BATCH

    def arrive(self):
        """All that was sent is acknowledged to the gateway, and stored by the hub."""
        wait_until(lambda: self.gateway.acknowledged() == self.sent, 60)
        self.assertEqual(len({row["mid"] for row in self.azure.messages()}), self.sent)

    def survive(self, fault, ends_by_itself=False):
        """One batch before, one that the fault strikes, one after."""
        self.fill()
        if self.gateway.process is None:
            self.gateway.start()
        self.arrive()
        name = fault.split("?")[0]
        before = self.fired(name)
        self.ask(f"/{fault}")
        self.fill()
        wait_until(lambda: self.fired(name) > before)
        if not ends_by_itself:
            self.ask(f"/{name}", "DELETE")
        self.arrive()
        self.fill()
        self.arrive()

    @proves("T-DATA-01")
    def test_a_half_open_connection(self):
        self.survive("half-open?device=unit-1")

    def test_a_half_open_connection_that_nobody_ends(self):
        self.survive("half-open", ends_by_itself=True)
        self.assertIn("no PUBACK", self.gateway.log())

    @proves("T-DATA-01")
    def test_latency(self):
        self.survive("latency?up_ms=200&down_ms=300")

    @proves("T-DATA-01")
    def test_lost_answers_and_messages(self):
        self.survive("loss?percent=20&seed=3&count=5", ends_by_itself=True)
        self.survive("loss?percent=20&seed=3&count=5&of=message", ends_by_itself=True)

    @proves("T-TIME-01")
    def test_a_clock_that_is_off(self):
        self.fill()
        self.gateway.start()
        self.arrive()
        self.ask("/clock-off?offset_s=7200")
        self.ask("/drop?device=unit-1")
        self.fill()
        self.assertTrue(self.gateway.logged("not authorised") or self.gateway.logged("refused"), self.gateway.log())
        self.assertLess(self.gateway.acknowledged(), self.sent)
        self.ask("/clock-off", "DELETE")
        self.arrive()

    @proves("T-TOK-05")
    def test_an_expired_token(self):
        self.survive("expired-tokens?device=unit-1&count=2", ends_by_itself=True)

    @proves("T-DATA-01")
    def test_malformed_replies(self):
        for kind in ("packet-id", "truncated"):
            with self.subTest(kind):
                self.survive(f"malformed?kind={kind}&count=3&percent=50", ends_by_itself=True)
        self.ask("/malformed?kind=connack&count=2")
        self.ask("/drop?device=unit-1")
        wait_until(lambda: self.fired("malformed") == 8)
        self.fill()
        self.arrive()


class RollOver(Recovery):
    """With both roots in its signed bundle the uplink does not notice; with the old one alone it stays out."""

    def settings(self):
        self.fleet = Fleet(self.scratch, "fleet")
        self.bundle = self.scratch / "trust-bundle"
        return {"trust_bundle": str(self.bundle), "trust_bundle_key": str(self.fleet.public_file)}

    def roots(self, version, *names):
        self.bundle.write_bytes(self.fleet.sign(version, *(Root(self.azure.state / "tls" / name) for name in names)))

    @proves("T-MITM-01")
    def test_both_roots_in_the_bundle(self):
        self.roots(2, "ca.pem", "rollover/ca.pem")
        self.survive("certificate-rollover")

    @proves("T-MITM-01", "CR 1.8")
    def test_the_old_root_alone_until_the_way_back(self):
        self.roots(2, "ca.pem")
        self.fill()
        self.gateway.start()
        self.arrive()
        self.ask("/certificate-rollover")
        self.fill()
        self.assertTrue(self.gateway.logged("hub-not-trusted"), self.gateway.log())
        self.assertLess(self.gateway.acknowledged(), self.sent)
        self.ask("/certificate-rollover", "DELETE")
        self.arrive()


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    suite.addTests(loader.loadTestsFromTestCase(Recovery))
    for name in ("test_both_roots_in_the_bundle", "test_the_old_root_alone_until_the_way_back"):
        suite.addTest(RollOver(name))
    return suite


if __name__ == "__main__":
    main()
