"""The tools on the real daemons, inside their sandboxes: the spool on a disk that fails, clocks that jump."""
import os
import time
import unittest

from faults.clock import HOUR, YEAR
from faults.faulty_stack import FaultyStack, Sensor
from processes import StartFailed
from support.proves import main, proves


def wait_for(holds, timeout=30):
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class StackCase(unittest.TestCase):
    def start(self, **options):
        if os.geteuid() != 0:
            self.skipTest("needs root: the daemons drop to users of their own")
        stack = FaultyStack(**options)
        self.addCleanup(stack.remove)
        self.addCleanup(stack.stop)
        self.stack = stack.start()
        return self.stack

    def sensor(self):
        sensor = Sensor(self.stack.layout.lines_socket)
        self.addCleanup(sensor.close)
        return sensor

    def log_of(self, name):
        return self.stack.parts[name].log.read_text(errors="replace")


class Disk(StackCase):
    @proves("T-DATA-01", "T-DOS-02")
    def test_the_spool_writer_works_on_it_and_acknowledges_nothing_that_it_could_not_store(self):
        stack = self.start(disk=True)
        sensor = self.sensor()
        self.assertEqual(sensor.say("r1"), "ok")  # the control: the disk works
        self.assertTrue(wait_for(lambda: "r1" in stack.delivered()))
        for name, op, error in (("full", "write", "ENOSPC"), ("broken", "fdatasync", "EIO"),
                                ("torn", "write", None)):
            stack.disk.add(name, op, **({"errno": error, "count": 1} if error else {"torn": 5}))
            with self.subTest(name):
                first = sensor.say(f"{name}-1")
                self.assertTrue(first.startswith("later"), first)
                self.assertGreaterEqual(stack.disk.fired(name), 1)
                stack.disk.clear()
                sensor.say_until_stored(f"{name}-1")
        wanted = {"r1", "full-1", "broken-1", "torn-1"}
        self.assertTrue(wait_for(lambda: wanted <= set(stack.delivered())), stack.delivered())


class Clocks(StackCase):
    @proves("T-TOK-05")
    def test_the_clocks_of_vault_and_uplink_jump_while_they_run(self):
        stack = self.start(clocks=("mitral-vault", "mitral-uplink"))
        sensor = self.sensor()
        vault, uplink = stack.clocks["mitral-vault"], stack.clocks["mitral-uplink"]
        for shift in (-HOUR, 10 * YEAR, -time.time()):
            with self.subTest(shift):
                before = self.log_of("mitral-vault").count("clock refused")
                vault.shift(shift), uplink.shift(shift)
                stack.renew_token()
                self.assertTrue(wait_for(lambda: self.log_of("mitral-vault").count("clock refused") > before))
                vault.real(), uplink.real()
        before = stack.renewals()
        stack.renew_token()  # the control: the same daemons with the real time
        self.assertTrue(wait_for(lambda: stack.renewals() > before))
        self.assertEqual(sensor.say("r1"), "ok")
        self.assertTrue(wait_for(lambda: "r1" in stack.delivered()))

    @proves("T-TIME-01")
    def test_an_uplink_alone_in_1970_trusts_no_certificate_and_comes_back(self):
        stack = self.start(clocks=("mitral-uplink",))
        stack.clocks["mitral-uplink"].set_to(0)
        stack.hub.away(1)  # it must make a new connection
        self.assertTrue(wait_for(lambda: "certificate is not yet valid" in self.log_of("mitral-uplink")))
        stack.clocks["mitral-uplink"].real()
        now = time.time()
        self.assertTrue(wait_for(lambda: stack.connected_since(now), 60))

    def test_intake_goes_on_whatever_its_clock_says(self):
        stack = self.start(clocks=("mitral-intake-lines",))
        sensor, clock = self.sensor(), stack.clocks["mitral-intake-lines"]
        for number, shift in enumerate((0, -HOUR, 10 * YEAR, -time.time()), 1):
            clock.shift(shift)
            seen = clock.now()
            self.assertEqual(sensor.say(f"r{number}"), "ok")
            self.assertTrue(wait_for(lambda: f"r{number}" in stack.delivered()))  # noqa: B023
            self.assertLess(abs(self.received(stack, f"r{number}") - seen), 60)

    @staticmethod
    def received(stack, name):
        return next(at for row, at in stack.rows() if row[0] == name)

    def test_enrol_in_1970_registers_nowhere_and_in_time_it_does(self):
        stack = self.start(clocks=("mitral-enrol",))
        stack.clocks["mitral-enrol"].set_to(0)
        with self.assertRaises(StartFailed) as failed:
            stack.enrol()
        self.assertIn("not yet valid", str(failed.exception))
        stack.clocks["mitral-enrol"].real()
        stack.enrol()


if __name__ == "__main__":
    main()
