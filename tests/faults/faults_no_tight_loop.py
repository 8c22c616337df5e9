"""No failure makes a tight loop: the real uplink (and enrol) under each one for a while, all bounded by the back-off.

What is counted: connections as the proxy before the hub sees them, tokens as the vault counts them, log lines, CPU
time. The bound is that of the policy with the worst luck (src/uplink/reconnect.hpp): attempt n+1 comes no sooner than
a tenth of min(1 s × 2^n, 60 s) after attempt n. Each pause that the uplink chose is checked as well, so the hourly
bound of docs/configuration.md, which a unit test derives from the same policy, holds for the process.
"""
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import unittest

from cloud.local_azure import derive, sas
from cloud.mqtt_client import Mqtt
from faults.faulty_stack import FaultyStack, LinkedLayout, Sensor, layout
from support.proves import main, proves

WINDOW_S = 20
FIRST_MS, CEILING_MS = 1_000, 60_000
TICK = os.sysconf("SC_CLK_TCK")


def least_pause_ms(failures):
    """After this many failures in a row."""
    return min(FIRST_MS << min(failures - 1, 20), CEILING_MS) / 10


def most_attempts(seconds):
    """Attempts within `seconds` of a first failure, with the worst luck."""
    at, attempts = 0.0, 0
    while at <= seconds * 1000:
        attempts += 1
        at += least_pause_ms(attempts)
    return attempts


class SoftLayout(LinkedLayout):
    """Keys in software, so that a dozen gateways start within seconds; `more`: lines for the [uplink] table."""

    more = ""

    def config_text(self):
        text = super().config_text().replace('backend = "tpm"', 'backend = "software"')
        text = re.sub(r"(?m)^tcti = .*\n", "", text)
        return text.replace("[uplink]\n", "[uplink]\n" + self.more)


class Gateway(FaultyStack):
    """One uplink, with a sensor that says something twice a second, and what it costs."""

    layout_class = SoftLayout

    def __init__(self, **options):
        # Each line is a message of its own: two a second, more than the throttled hub takes.
        super().__init__(links=True, tuning=layout.Tuning(batch_interval_s=0), **options)
        self._ending = threading.Event()
        self._helpers = []

    def _start_tpm(self):
        pass

    def start(self):
        super().start()
        self.helper(self._feed)
        return self

    def helper(self, work):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._helpers.append(thread)

    def pause(self, seconds):
        return not self._ending.wait(seconds)

    def _feed(self):
        sensor = Sensor(self.layout.lines_socket)
        number = 0
        try:
            while self.pause(0.5):
                number += 1
                sensor.say(f"r{number}")
        except OSError:
            pass  # the stack goes down
        finally:
            sensor.close()

    def steal(self):
        """Another client with the same identity that takes the connection back whenever it has lost it."""
        key = derive(self.group["primary_key"], "mitral-demo-1")
        host = self.layout.hub_name
        while self.pause(0.02):
            try:
                with Mqtt(self.layout.ports.mqtt, str(self.layout.root_file)) as thief:
                    thief.connect("mitral-demo-1", f"{host}/mitral-demo-1/?api-version=2021-04-12",
                                  sas(key, f"{host}/devices/mitral-demo-1"))
                    thief.socket.settimeout(0.2)
                    while self.pause(0) and not self._lost(thief):
                        pass
            except (OSError, AssertionError, TypeError):
                continue

    @staticmethod
    def _lost(client):
        try:
            return client.socket.recv(1) == b""
        except TimeoutError:
            return False

    def stop(self):
        self._ending.set()
        for thread in self._helpers:
            thread.join(timeout=30)
        super().stop()

    def restart_uplink(self, **config):
        self.parts["mitral-uplink"].stop()
        for old, new in config.items():
            text = self.layout.config.read_text()
            self.layout.config.write_text(re.sub(rf"(?m)^{old} = .*$", f"{old} = {new}", text)
                                          if old != "more" else text.replace("[uplink]\n", "[uplink]\n" + new + "\n"))
        self._launch("mitral-uplink", [self._program("mitral-uplink"), "--config", self.layout.config])

    # -- the bill ----------------------------------------------------------------------------------
    def tokens(self):
        done = subprocess.run([str(self._program("mitral")), "status", "--json", "--config", str(self.layout.config)],
                              capture_output=True, text=True, check=False, timeout=30)
        return json.loads(done.stdout)["vault"]["mint_count"]

    def connections(self, link):
        return sum(tally["connections"] for tally in link.counters()["modes"].values())

    def cpu_s(self, name):
        with open(f"/proc/{self.parts[name].pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def lines(self):
        return self.parts["mitral-uplink"].log.read_text(errors="replace").splitlines()


class Watch:
    """The costs of one gateway from now on."""

    def __init__(self, gateway, vault=True):
        self.gateway, self.vault = gateway, vault
        self.began = time.monotonic()
        self.start = self._read()
        self.process = gateway.parts["mitral-uplink"].pid

    def _read(self):
        gateway = self.gateway
        return {"connections": gateway.connections(gateway.hub_link), "lines": len(gateway.lines()),
                "tokens": gateway.tokens() if self.vault else 0, "cpu_s": gateway.cpu_s("mitral-uplink")}

    def bill(self):
        now = self._read()
        if self.gateway.parts["mitral-uplink"].pid != self.process:
            self.start["cpu_s"] = 0  # started again by the failure's cause
        bill = {what: now[what] - self.start[what] for what in now}
        new = self.gateway.lines()[self.start["lines"]:]
        bill["log"] = "\n".join(new)
        bill["seconds"] = time.monotonic() - self.began
        bill["attempts"] = sum(" not-connected " in line or " connected " in line for line in new)
        bill["pauses"] = [(int(found[1]), int(found[2])) for line in new
                          if (found := re.search(r" not-connected .* failures=(\d+) retry_ms=(\d+)", line))]
        return bill


def set_hub_link(mode, **parameters):
    def break_it(gateway):
        gateway.hub_link.set(mode, **parameters)
        if mode != "blackhole":
            return
        gateway.fault("drop", all=1)  # so that it needs a new connection, and not only a ping
        gateway.hub_link.set("reset")
        gateway.hub_link.set(mode, **parameters)
    return break_it


def set_fault(name, **parameters):
    def break_it(gateway):
        gateway.fault(name, **parameters)
        gateway.fault("drop", all=1)
    return break_it


def fight(gateway):
    gateway.helper(gateway.steal)


def wrong_root(gateway):
    other = gateway.layout.root / "etc/other.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", "/dev/null", "-subj", "/CN=Other", "-out", str(other)], check=True, capture_output=True)
    other.chmod(0o644)
    gateway.restart_uplink(root_files=f'["{other}"]')


def vault_away(gateway):
    vault = gateway.parts["mitral-vault"]
    vault.keep = False
    vault.kill()
    gateway.fault("drop", all=1)


def spool_unreadable(gateway):
    gateway.disk.add("unreadable", "open", "*.seg", errno="EIO")
    gateway.disk.add("unread", "read", "*.seg", errno="EIO")


class Failure:
    """`cause(gateway)`; that it struck shows in the uplink's log (`seen`) and in what the cause counted (`struck`)."""

    def __init__(self, cause, seen, struck=None, most_tokens=None, disk=False, vault=True):
        self.cause, self.seen, self.most_tokens = cause, seen, most_tokens
        self.struck = struck or (lambda _: 1)
        self.disk, self.vault = disk, vault


def by_link(mode, what):
    return lambda gateway: gateway.hub_link.counters()["modes"][mode][what]


def by_fault(name):
    return lambda gateway: gateway.fault_fired(name)


# A token that no hub has seen is used again: where no CONNECT gets out, one is enough.
FAILURES = {
    "hub down": Failure(set_hub_link("down"), "Connection refused", by_link("down", "resets"), most_tokens=1),
    "hub resets": Failure(set_hub_link("reset"), "not-connected", by_link("reset", "resets"), most_tokens=1),
    "hub resets in the middle": Failure(set_hub_link("reset", after_bytes=3_000), "not-connected",
                                        by_link("reset", "resets")),
    "half-open": Failure(set_hub_link("blackhole"), "not-connected", by_link("blackhole", "stalls"), most_tokens=1),
    "throttled connects": Failure(set_fault("throttle-connects"), "not-connected", by_fault("throttle-connects")),
    "throttled telemetry": Failure(set_fault("throttle-telemetry", per_second=1, queue_ms=0), "not-connected",
                                   by_fault("throttle-telemetry")),
    "daily quota": Failure(set_fault("daily-quota"), "nothing-acknowledged", by_fault("daily-quota")),
    "silent hub": Failure(set_fault("silent-hub"), "not-connected", by_fault("silent-hub")),
    "duplicate identity": Failure(fight, "not-connected",
                                  lambda gateway: gateway.hub.metrics()["mitral_cloud_takeovers_total"]),
    "wrong root": Failure(wrong_root, "hub-not-trusted", most_tokens=1),
    "expired token": Failure(set_fault("expired-tokens"), "not-connected", by_fault("expired-tokens")),
    "vault away": Failure(vault_away, "token for", vault=False),
    "spool unreadable": Failure(spool_unreadable, "lane-stopped",
                                lambda gateway: gateway.disk.fired("unreadable") + gateway.disk.fired("unread"),
                                most_tokens=0, disk=True),
}


@unittest.skipUnless(os.geteuid() == 0, "needs root: the daemons drop to users of their own")
class NoTightLoop(unittest.TestCase):
    maxDiff = None

    def gateway(self, **options):
        stack = Gateway(**options)
        self.addCleanup(stack.remove)
        self.addCleanup(stack.stop)
        return stack.start()

    def bounds(self, bill, failure):
        attempts = most_attempts(bill["seconds"])
        tokens = attempts if failure.most_tokens is None else failure.most_tokens
        # At most four lines an attempt: connected, what ended it and its security event, not-connected, and hints.
        return {"connections": attempts, "attempts": 2 * attempts, "tokens": tokens, "lines": 5 * attempts + 5,
                "cpu_s": 0.5 + 0.1 * attempts}

    def too_much(self, bill, failure):
        return {what: (bill[what], most) for what, most in self.bounds(bill, failure).items() if bill[what] > most}

    @proves("T-DOS-03")
    def test_every_failure_is_met_with_patience(self):
        gateways = {name: self.gateway(disk=failure.disk) for name, failure in FAILURES.items()}
        control = self.gateway()
        hasty = self.gateway()
        hasty.restart_uplink(more="reconnect_ceiling_s = 1")
        watches = {name: Watch(gateway, FAILURES[name].vault) for name, gateway in gateways.items()}
        watches["control"], watches["hasty"] = Watch(control), Watch(hasty)
        for name, gateway in gateways.items():
            FAILURES[name].cause(gateway)
        hasty.hub_link.set("reset")
        threading.Event().wait(WINDOW_S)  # the window that is counted, not a wait for something
        bills = {name: watch.bill() for name, watch in watches.items()}
        print(table(bills))
        for name, failure in FAILURES.items():
            with self.subTest(name):
                self.assertIn(failure.seen, bills[name]["log"])
                self.assertGreaterEqual(failure.struck(gateways[name]), 1)
                self.assertEqual(self.too_much(bills[name], failure), {}, bills[name])
                for failures, pause_ms in bills[name]["pauses"]:
                    self.assertGreaterEqual(pause_ms, least_pause_ms(failures))
        with self.subTest("control: without a failure nothing is paid"):
            self.assertEqual((bills["control"]["connections"], bills["control"]["tokens"]), (0, 0))
        with self.subTest("control: a policy without patience breaks the bound"):
            self.assertIn("connections", self.too_much(bills["hasty"], Failure(None, "")))

    @proves("T-DOS-03")
    def test_enrol_waits_for_a_service_that_is_away(self):
        gateway = self.gateway()
        gateway.dps_link.set("reset")
        before = gateway.connections(gateway.dps_link)
        began = time.monotonic()
        with tempfile.TemporaryFile() as log:
            enrol = subprocess.Popen([str(gateway._program("mitral-enrol")), "--config", str(gateway.layout.config)],
                                     stdout=log, stderr=log)
            threading.Event().wait(WINDOW_S)
            self.assertIsNone(enrol.poll())
            seconds = time.monotonic() - began
            connections = gateway.connections(gateway.dps_link) - before
            gateway.dps_link.set("forward")
            self.assertEqual(enrol.wait(timeout=120), 0)  # the control: it was only waiting
        self.assertGreater(connections, 1)
        self.assertLessEqual(connections, most_enrol_attempts(seconds))


def most_enrol_attempts(seconds):
    """src/enrol/backoff.hpp: the upper half of 1 s × 2^n, at most 60 s (registration.cpp)."""
    at, attempts, step = 0.0, 0, 1.0
    while at <= seconds:
        attempts += 1
        at += step / 2
        step = min(step * 2, 60)
    return attempts


def table(bills):
    columns = ("seconds", "connections", "attempts", "tokens", "lines", "cpu_s")
    rows = [f"{'failure':26}" + "".join(f"{column:>13}" for column in columns)]
    for name, bill in bills.items():
        rows.append(f"{name:26}" + "".join(f"{bill[column]:13.4g}" for column in columns))
    return "\n".join(rows)


if __name__ == "__main__":
    main()
