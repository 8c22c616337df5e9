"""The gateway that is measured: vault, intake and uplink as installed, elsewhere, against a mosquitto as the hub."""
import base64
import dataclasses
import json
import os
import socket
import subprocess
import time

import cpu
import layout
import processes
import station

DAEMONS = ("mitral-vault", "mitral-intake-lines", "mitral-uplink")
USERS = {"mitral-vault": "mitral-vault", "mitral-intake-lines": "mitral-intake", "mitral-uplink": "mitral-uplink"}
STAND_INS = {"mitral-vault": "bench_vault", "mitral-intake-lines": "bench_intake", "mitral-uplink": "bench_uplink"}


@dataclasses.dataclass(frozen=True)
class Settings:
    """What differs between figures; everything else is the installed default."""
    backend: str = "software"
    build: str = "installed"    # or "uncaged": no sandbox; "unprotected": no TLS, vault, encryption, sandbox either
    callgrind: bool = False     # count instructions (not with "installed": valgrind needs calls a cage forbids)
    batched: bool = False
    paced: bool = False
    window: int = 1000
    keep_alive_s: int = 60
    spool_mb: int = 8192
    segment_mb: int = 16
    vault_burst: int = 0        # requests and tokens a peer may ask for at once; 0: as installed


# The default rights (mitral-vault(8)) without `checkpoint`: each PUBLISH that the hub counts is a reading.
NO_CHECKPOINTS = {
    "root": ["status", "begin-provisioning", "execute-order", "attest"],
    "mitral-intake": ["new-data-key", "status"],
    "mitral-intake-hl7": ["new-data-key", "pseudonym"],
    "mitral-uplink": ["mint-hub", "open-data-key", "status"],
}


class Place(layout.Layout):
    def __init__(self, root, hub, settings, trusted):
        hub_port = hub.plain_port if settings.build == "unprotected" else hub.tls_port
        ports = layout.Ports(mqtt=hub_port, https=1, admin=1, tpm=processes.free_port_pair())
        super().__init__(root, ports, layout.Tuning(spool_mb=settings.spool_mb, segment_mb=settings.segment_mb))
        self._settings, self._trusted = settings, trusted

    @property
    def root_file(self):
        return self._trusted

    def tables(self):
        tables = super().tables()
        settings = self._settings
        if settings.backend == "software":
            tables["vault"]["backend"] = "software"
            del tables["vault"]["tcti"]
        tables["vault"]["peer"] = [{"user": user, "may": may} for user, may in NO_CHECKPOINTS.items()]
        if settings.vault_burst:
            tables["vault"]["rate_burst"] = tables["vault"]["mint_burst"] = settings.vault_burst
        del tables["enrol"]
        for key in ("batch_interval_s", "batch_kb"):
            del tables["intake-lines"][key]
        if not settings.batched:
            tables["intake-lines"]["batch_kb"] = 0
        if not settings.paced:
            tables["uplink"]["max_messages_per_s"] = 0
        tables["uplink"]["window"] = settings.window
        tables["uplink"]["keep_alive_s"] = settings.keep_alive_s
        return tables


class Unit:
    """Started, provisioned and assigned; `flood` measures."""

    def __init__(self, bench, name, settings=Settings()):
        self._bench, self._settings = bench, settings
        self.place = Place(bench.scratch / name, bench.hub, settings, bench.hub.certificate)
        self._device = f"bench-{name}"  # of its own: a hub throws the elder of two connections of one device out
        self._parts = {}
        self._next = 1  # number of the next line: ids are never used twice

    # -- start and end ---------------------------------------------------------------------------
    def start(self, uplink=True):
        self.start_vault()
        self.launch("mitral-intake-lines", lambda: processes.answers(self.place.lines_socket))
        if uplink:
            self.start_uplink()
        return self

    def start_vault(self):
        """The unit as far as every adapter needs it: configured, provisioned, assigned to the hub."""
        place = self.place
        place.create()
        place.write_config()
        if self._settings.backend == "tpm":
            self._start_tpm()
        station.make_station_key(place.station / "station.key", place.station_public)
        if self._settings.build != "unprotected":
            self.launch("mitral-vault", lambda: processes.answers(place.vault_socket, socket.SOCK_SEQPACKET))
            self._provision()
        place.assignment.write_text(json.dumps({"hub": place.hub_name, "device_id": self._device}),
                                    encoding="ascii")
        place.assignment.chmod(0o644)

    def start_uplink(self):
        self.launch("mitral-uplink", lambda: self.uplink_status().get("connected") is True)

    def _start_tpm(self):
        port = self.place.ports.tpm
        self._run("swtpm", ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.place.tpm}",
                            "--server", f"type=tcp,port={port},bindaddr=127.0.0.1",
                            "--ctrl", f"type=tcp,port={port + 1},bindaddr=127.0.0.1",
                            "--flags", "not-need-init,startup-clear"], lambda: processes.accepts(port + 1))

    def _provision(self):
        place = self.place
        station.write_group_key(place.station / "group.key", base64.b64encode(os.urandom(32)).decode())
        processes.run([self._bench.programs / "mitral", "provision", "--config", place.config,
                       "--station-key", place.station / "station.key",
                       "--group-key-file", place.station / "group.key", "--id-scope", "0ne00000001",
                       "--registration-id", self._device, "--dps-host", "localhost:1",
                       "--hub", place.hub_name], place.logs, "provision")

    def launch(self, name, ready):
        self._run(name, [*self._command(name), "--config", self.place.config], ready)

    def _command(self, name):
        if self._settings.build == "installed" or name not in STAND_INS:
            return [self._bench.programs / name]
        program = f"{STAND_INS[name]}_{'plain' if self._settings.build == 'unprotected' else 'uncaged'}"
        command = [self._bench.stand_ins / self._settings.build / program]
        if self._settings.callgrind:
            command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.instructions_of(name)}", *command]
        user = USERS[name]
        return ["setpriv", "--reuid", user, "--regid", user, "--groups", "mitral-uplink", *command]

    def instructions_of(self, name):
        return self.place.run / USERS[name].removeprefix("mitral-") / "callgrind.out"

    def _run(self, name, argv, ready):
        part = processes.Process(name, argv, self.place.logs, self._bench.reaper)
        self._parts[name] = part
        part.start()
        part.wait_until(ready, "its start", timeout=60)

    def part(self, name):
        return self._parts[name]

    def stop(self):
        for part in reversed(list(self._parts.values())):
            part.stop(timeout=15)
        self._parts.clear()

    # -- looking in ------------------------------------------------------------------------------
    def uplink_status(self):
        try:
            return json.loads(self.place.uplink_status.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def pids(self):
        return {name: self._parts[name].pid for name in DAEMONS if name in self._parts}

    def published(self):
        return sum(lane["messages"] for lane in self.uplink_status().get("lanes", []))

    # -- work ------------------------------------------------------------------------------------
    def sender(self, command, lines, *options):
        """The program that hands lines in, started."""
        template = self.place.root / "lines.template"
        template.write_text("\n".join(lines) + "\n", encoding="ascii")
        return subprocess.Popen(
            [self._bench.clients / "bench_lines", command, "--socket", self.place.lines_socket, "--template", template,
             "--first", str(self._next), *map(str, options)], stdout=subprocess.PIPE, text=True)

    def fill(self, lines, count):
        """As `flood`, to the spool only."""
        sender = self.sender("flood", lines, "--count", count)
        self._next += count
        return self._answer(sender)

    @staticmethod
    def _answer(sender):
        text, _ = sender.communicate(timeout=900)
        sent = json.loads(text)
        if sent["refused"]:
            raise processes.StartFailed(f"{sent['refused']} lines were refused")
        return sent

    def pace(self, lines, beds, interval_ms, seconds):
        """A ward for a while; `finish_pace` waits for its end and says how it was answered."""
        sender = self.sender("pace", lines, "--beds", beds, "--interval-ms", interval_ms, "--seconds", seconds)
        self._next += len(lines) * (seconds * 1000 // interval_ms + 2)
        return sender

    def finish_pace(self, sender):
        seen = self._answer(sender)
        if self.uplink_status().get("connections") != 1:
            raise processes.StartFailed("the uplink lost its connection: what was measured is its return")
        return seen

    def flood(self, lines, count):
        """`count` lines as fast as they are taken, to the last PUBACK. CPU is read when all is at rest again."""
        before = self.published()
        meter = cpu.Meter({**self.pids(), "hub": self._bench.hub.pid})
        busy = cpu.BusyUntil(self._bench.hub.pid)
        begin = time.monotonic()
        sent = self.fill(lines, count)
        self.wait_published(before + count)
        seconds = busy.stop() - begin
        used = meter.read()
        hub = used.pop("hub")
        return Flood(count, seconds, used, hub, sent["seconds"], sent["cpu_us"])

    def wait_published(self, count, timeout=300):
        deadline = time.monotonic() + timeout
        while True:
            status = self.uplink_status()
            done = sum(lane["messages"] for lane in status.get("lanes", []))
            if done >= count and status["queued"] == 0 and status["in_flight"] == 0:
                return
            if time.monotonic() > deadline:
                raise processes.StartFailed(f"the uplink published {done} of {count} messages: {status}")
            if not self._parts["mitral-uplink"].running:
                raise processes.StartFailed(self._parts["mitral-uplink"].why())
            time.sleep(0.05)

    def message_of(self, lines):
        """(topic, body length) of what one line becomes."""
        consumer = self._bench.hub.subscribe("%l %t")
        try:
            self.flood(lines, 1)
            length, topic = consumer.line().split()
            return topic, int(length)
        finally:
            consumer.stop()


@dataclasses.dataclass(frozen=True)
class Flood:
    messages: int
    seconds: float      # from the start of the sender to the hub's rest
    cpu: dict           # daemon -> cpu.Cpu
    hub: cpu.Cpu
    sender_seconds: float
    sender_us: float

    def per_message(self, name):
        return self.cpu[name].total / self.messages

    @property
    def cpu_us(self):
        return sum(used.total for used in self.cpu.values()) / self.messages

    @property
    def user_us(self):
        return sum(used.user for used in self.cpu.values()) / self.messages
