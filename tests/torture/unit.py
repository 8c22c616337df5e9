"""One gateway under torture: its own state on a small disk, its own hub, links that can be disturbed."""
import errno
import http.client
import json
import os
import random
import signal
import subprocess
import time

import conductor
import errorfs
import gateway
import layout
import steady_senders
from cloud import local_azure, mqtt_client
from fail_points import INTAKE, UPLINK
from fault import SEEN_S
from proxy import FaultProxy

HUB_HOST, OTHER_HUB_HOST = "hub-1.mitral.test", "hub-2.mitral.test"
DISK_MB = 24
REACH_S = 20.0       # within this a point is reached once it was brought about
RECOVERY_S = 120.0

SETTINGS = {
    "vault": {"backend": "software", "rate_burst": 100_000, "rate_per_minute": 1_000_000,
              "mint_burst": 100_000, "mints_per_hour": 100_000,
              "evidence_burst": 100_000, "evidence_per_hour": 100_000},
    "uplink": {"connect_timeout_s": 1, "acknowledge_timeout_s": 1, "ping_timeout_s": 1, "connack_timeout_s": 1,
               "reconnect_ceiling_s": 1, "keep_alive_s": 5, "max_messages_per_s": 0, "drain_timeout_s": 1},
    "enrol": {"connect_timeout_s": 1, "request_timeout_s": 1, "give_up_after_s": 30},
}


class NotRecovered(Exception):
    """After a fault the gateway did not come back, or something it acknowledged is missing."""


class Errors(errorfs.ErrorFs):
    def fired_at_all(self):
        """Operations that any rule struck."""
        return sum(struck for _seen, struck in self.rules().values())


class Place(layout.Layout):
    """Hub and DPS are met at the links, and everything waits no longer than it has to."""

    links = {}

    @property
    def hub_name(self):
        return f"{HUB_HOST}:{self.links['hub'].port}"

    @property
    def other_hub_name(self):
        return f"{OTHER_HUB_HOST}:{self.links['hub'].port}"

    @property
    def dps(self):
        return f"localhost:{self.links['dps'].port}"

    def tables(self):
        tables = super().tables()
        tables["uplink"]["hub_port"] = self.links["hub"].port
        return {name: {**settings, **SETTINGS.get(name, {})} for name, settings in tables.items()}


class Unit(gateway.Stack):
    """Runs in a mount namespace of its own (torture.py): what is mounted here ends with it."""

    def __init__(self, programs, source, folder, batch_interval_s, seed):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(programs, source, say=lambda _text: None, scratch=folder)
        self.random = random.Random(seed)
        tuning = layout.Tuning(batch_interval_s=batch_interval_s, spool_mb=8, segment_mb=1)
        self.layout = Place(folder, self.layout.ports, tuning)
        self.layout.links = self.links = {"hub": FaultProxy(("127.0.0.1", self.layout.ports.mqtt)),
                                          "dps": FaultProxy(("127.0.0.1", self.layout.ports.https))}
        self.disk = folder / "disk"       # behind the file system that fails on demand
        self.errors = Errors(self.programs.parent / "tests/faults/errorfs", self.disk, self.layout.state)
        self.conductor = conductor.Conductor(self.layout.root / "conductor.sock")
        self.environment = {"MITRAL_TORTURE": str(self.conductor.path)}
        self.ward = None
        self._enrolment = None

    def start(self):
        self.conductor.start()
        self.supervisor.CHECK_S, self.supervisor.PAUSE_S = 0.01, 0.0
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "torture", self.disk], check=True)
        self.errors.mount()
        super().start()
        self.ward = steady_senders.Ward(self.layout, self.hub, self.source / "tests/data")
        self.ward.start()
        return self

    def stop(self):
        super().stop()
        for link in self.links.values():
            link.close()
        self.errors.unmount()

    # The parts of the demo's start that differ: two names of the hub, no TPM.
    @property
    def cloud_names(self):
        return ["localhost", HUB_HOST, OTHER_HUB_HOST]

    def _start_tpm(self):
        pass

    @property
    def hubs(self):
        return [self.layout.hub_name, self.layout.other_hub_name]

    # -- bringing a point about ------------------------------------------------------------------
    def bring_to(self, point):
        """Leads the gateway to the point; the process that stands there."""
        way = {"traffic": self._traffic, "upkeep": self._upkeep, "restart intake": self._restart_intake,
               "torn group": self._torn_group, "unshown group": self._unshown_group,
               "no space": self._no_space, "long segment": self._long_segment,
               "relink": self._relink, "renew": self._renew, "stop uplink": self._stop_uplink,
               "enrol": self._enrol_again}[point.way]
        return way(point)

    def _await(self, point, timeout=REACH_S):
        return self.conductor.await_point(point.program, point.name, timeout)

    def hold_uplink(self):
        self.parts[UPLINK].signal(signal.SIGSTOP)
        marks = self.ward.marks()
        self.wait_for(lambda: self.ward.acknowledged_beyond(marks), REACH_S)

    def release_uplink(self):
        self.parts[UPLINK].signal(signal.SIGCONT)

    def _traffic(self, point):
        self.conductor.arm(point.program, point.name, self.random.randint(1, 3))
        return self._await(point)

    def _upkeep(self, point):
        self.parts[INTAKE].kill()  # leaves a segment that nobody writes to any more
        self.conductor.arm(point.program, point.name)
        return self._await(point, 2 * REACH_S)

    def _restart_intake(self, point):
        self.conductor.arm(point.program, point.name)
        self.parts[INTAKE].kill()
        return self._await(point)

    def _torn_group(self, point):
        self.conductor.arm(INTAKE, "group.write")
        standing = self.conductor.await_point(INTAKE, "group.write", REACH_S)
        self.tear(standing, 70)
        self.conductor.arm(point.program, point.name)
        os.kill(standing.pid, signal.SIGKILL)
        return self._await(point)

    def _unshown_group(self, point):
        """Records are on the disk, and their slot does not say so yet."""
        self.conductor.arm(INTAKE, "group.write-slot")
        standing = self.conductor.await_point(INTAKE, "group.write-slot", REACH_S)
        self.conductor.arm(point.program, point.name)
        os.kill(standing.pid, signal.SIGKILL)
        return self._await(point)

    def tear(self, standing, count):
        """Of the write that follows, `count` bytes reach the disk; then the process stands again."""
        standing.say(f"torn {count} 0")
        cut = int(self.conductor.await_event("cut", SEEN_S, lambda who, _: who is standing)[1])
        self.conductor.await_event("at", SEEN_S, lambda who, _: who is standing)
        return cut

    def _no_space(self, point):
        """The disk is full until the spool gives up records that the hub does not have; the uplink stays held."""
        self.hold_uplink()
        self.conductor.arm(point.program, point.name)
        dropped = self.log_count(INTAKE, "spool-records-dropped")
        for _ in range(8):
            self.conductor.arm(INTAKE, "group.write")
            standing, where = self.conductor.await_event("at", REACH_S)
            if where == point.name:
                standing.say("disarm")
                return standing
            if self.log_count(INTAKE, "spool-records-dropped") > dropped:
                standing.say("go")
                return self._await(point)
            standing.say(f"errno {errno.ENOSPC}")
        raise conductor.NotFired(f"a full disk did not lead to {point.name}")

    def _long_segment(self, point):
        self.conductor.arm(point.program, point.name)
        for sender in self.ward.senders:
            sender.hurry(0.0)
        try:
            return self._await(point, 3 * REACH_S)
        finally:
            for sender in self.ward.senders:
                sender.hurry(steady_senders.QUIET_S)

    def _relink(self, point):
        return self._ask_until_there(point, lambda: self.hub.drop(layout.REGISTRATION_ID))

    def _renew(self, point):
        return self._ask_until_there(point, self.renew_token)

    def _ask_until_there(self, point, ask):
        """A link that is just being made can neither be dropped nor renewed: then once more."""
        self.conductor.arm(point.program, point.name)
        for _ in range(4):
            ask()
            try:
                return self._await(point, REACH_S / 4)
            except conductor.NotFired:
                continue
        raise conductor.NotFired(f"{point.program} did not reach {point.name} within {REACH_S:g} s")

    def _stop_uplink(self, point):
        self.conductor.arm(point.program, point.name)
        self.parts[UPLINK].signal(signal.SIGTERM)
        return self._await(point)

    def _enrol_again(self, point):
        self.conductor.arm(point.program, point.name)
        self.enrol_anew()
        return self._await(point)

    def enrol_anew(self):
        argv = [str(self._program("mitral-enrol")), "--config", str(self.layout.config)]
        with (self.layout.logs / "mitral-enrol.log").open("ab") as log:
            self._enrolment = subprocess.Popen(argv, stdout=log, stderr=log, cwd="/", stdin=subprocess.DEVNULL,
                                               env={**os.environ, **self.environment})

    # -- coming back -----------------------------------------------------------------------------
    def settle(self):
        """Waits for the enrolment that was begun, and repeats it when it failed: nothing may stay half done."""
        if self._enrolment is None:
            return
        failed = self._enrolment.wait(RECOVERY_S) != 0
        self._enrolment = None
        if failed:
            self.enrol()

    def enrol(self):
        """Registers, to the end, whatever the fail-points are armed for."""
        self._enrol()

    def twin(self):
        """A client of another maker that connects under this unit's identity, with a token of its own."""
        device, hub = layout.REGISTRATION_ID, self.layout.hub_name
        client = mqtt_client.Mqtt(self.layout.ports.mqtt, self.layout.root_file)
        token = local_azure.sas(local_azure.derive(self.group["primary_key"], device), f"{hub}/devices/{device}")
        client.send(mqtt_client.connect_packet(device, f"{hub}/{device}/?api-version=2021-04-12", token))
        answer = client.receive()
        if answer is None or answer[1][1] != 0:
            client.close()
            raise conductor.NotFired(f"the twin was refused: {answer}")
        return client

    def await_recovery(self):
        """New readings are acknowledged and delivered, and nothing that was acknowledged before is missing."""
        self.conductor.calm()
        self.settle()
        marks = self.ward.marks()
        deadline = time.monotonic() + RECOVERY_S
        while not self.ward.acknowledged_beyond(marks):
            self._patience(deadline, lambda: "new readings are not acknowledged: "
                           + "; ".join(sender.trouble for sender in self.ward.senders))
        while owed := self.ward.owed(marks):
            self._patience(deadline, lambda owed=owed: f"{len(owed)} readings are missing, such as "
                           f"{next(iter(owed))}: {json.dumps(self.uplink_status().get('last_error', ''))}")

    @staticmethod
    def _patience(deadline, why):
        if time.monotonic() > deadline:
            raise NotRecovered(why())
        time.sleep(0.01)

    # -- the cloud's own faults ------------------------------------------------------------------
    def ask_cloud(self, method, path):
        link = http.client.HTTPConnection("127.0.0.1", self.layout.ports.admin, timeout=10)
        try:
            link.request(method, path)
            answer = link.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise OSError(f"{method} {path}: {answer.status} {body!r}")
            return json.loads(body) if body else {}
        finally:
            link.close()

    def cloud_fault(self, name):
        return next(row for row in self.ask_cloud("GET", "/faults")["faults"] if row["name"] == name)

    # -- looking in ------------------------------------------------------------------------------
    def log_count(self, program, event):
        return (self.layout.logs / f"{program}.log").read_text(errors="replace").count(event)
