"""The whole stack of one run: local Azure, TPM, vault, enrolment, intake, uplink; started and ended in order."""
import json
import pathlib
import shutil
import signal
import socket
import tempfile
import time

import clock
import hub
import layout
import processes
import reaper
import station
from processes import Process, StartFailed

PROGRAMS = ("mitral", "mitral-vault", "mitral-intake-lines", "mitral-enrol", "mitral-uplink", "mitral-cloud")


class Stack:
    """`programs` is the folder of the built programs, `source` the project. Needs root."""

    needed = PROGRAMS
    subject_key = None   # the hospital's, 32 bytes; None: no pseudonyms

    def __init__(self, programs, source, tuning=layout.Tuning(), say=print, scratch=None):
        self.programs, self.source = pathlib.Path(programs), pathlib.Path(source)
        self.say = say
        self._check_machine()
        root = pathlib.Path(scratch or tempfile.mkdtemp(prefix="mitral-"))
        self.layout = layout.Layout(root, layout.Ports.free(), tuning)
        self.hub = hub.Hub(self.layout.ports.admin)
        self.reaper = reaper.Reaper()
        self.supervisor = processes.Supervisor()
        self.parts = {}      # name -> Process, in the order of their start
        self.group = None    # what the enrollment group was given
        self.environment = {}    # of the gateway's daemons

    def _check_machine(self):
        if not processes.is_root():
            raise StartFailed("needs root, for the daemons' users and sandboxes: run it with sudo")
        missing = [name for name in self.needed if not (self.programs / name).exists()]
        if missing:
            raise StartFailed(f"not built: {', '.join(missing)} (looked in {self.programs}): run `make build`")
        if shutil.which("swtpm") is None:
            raise StartFailed("swtpm is not installed: run scripts/deps.sh")

    @property
    def cloud_names(self):
        return ["localhost"]

    @property
    def hubs(self):
        """Those the unit may talk to."""
        return [self.layout.hub_name]

    # -- start ---------------------------------------------------------------------------------
    def start(self):
        layout.ensure_users(self.source / "src/base/mitral.sysusers", self.say)
        self.layout.create()
        self.layout.write_config()
        self._start_cloud()
        self._start_tpm()
        self._start_vault()
        self._provision()
        self._enrol()
        for name, ready in self._adapters().items():
            self._start_daemon(name, ready, "its socket")
        self._start_daemon("mitral-uplink", self._connected, "the first connection to the hub")
        return self

    def _adapters(self):
        """Each running adapter, and how to see that it is ready."""
        if self.layout.monitors is not None:
            return {"mitral-intake-hl7": lambda: processes.accepts(self.layout.monitors.plain_port)}
        return {"mitral-intake-lines": lambda: processes.answers(self.layout.lines_socket)}

    def launch(self, name, arguments):
        """A program that is no part of the gateway, as long as the stack lives."""
        return self._launch(name, [self._program(name), *arguments])

    def _program(self, name):
        return self.programs / name

    def _launch(self, name, argv, keep=False):
        process = Process(name, argv, self.layout.logs, self.reaper, keep=keep,
                          environment=self.environment if keep else None)
        self.parts[name] = process
        process.start()
        return self.supervisor.add(process)

    def _start_cloud(self):
        place, ports = self.layout, self.layout.ports
        self.say("starting a local Azure: DPS and IoT Hub over TLS")
        answer = processes.run([self._program("mitral-cloud"), "enroll-group", "--state", place.cloud,
                                "--name", "fleet"], place.logs, "enroll-group", secret=True)
        self.group = json.loads(answer)
        cloud = self._launch("mitral-cloud", [
            self._program("mitral-cloud"), "serve", "--state", place.cloud, "--user", "mitral-cloud",
            *(part for name in self.cloud_names for part in ("--name", name)),
            "--assigned-hub", place.hub_name, "--mqtt-port", ports.mqtt,
            "--https-port", ports.https, "--admin-port", ports.admin])
        cloud.wait_until(self.hub.ready, "GET /ready")

    def _start_tpm(self):
        self.say("starting a TPM 2.0 (swtpm)")
        port = self.layout.ports.tpm
        tpm = self._launch("swtpm", [
            shutil.which("swtpm"), "socket", "--tpm2", "--tpmstate", f"dir={self.layout.tpm}",
            "--server", f"type=tcp,port={port},bindaddr=127.0.0.1",
            "--ctrl", f"type=tcp,port={port + 1},bindaddr=127.0.0.1",
            "--flags", "not-need-init,startup-clear"])
        tpm.wait_until(lambda: processes.accepts(port + 1), "its control port")

    def _start_vault(self):
        self.say("starting the vault (back end: tpm)")
        station.make_station_key(self.layout.station / "station.key", self.layout.station_public)
        self._start_daemon("mitral-vault", lambda: processes.answers(self.layout.vault_socket, socket.SOCK_SEQPACKET),
                           "its socket")

    def _provision(self):
        self.say("provisioning: a key derived for this unit, wrapped for this TPM (development station)")
        place = self.layout
        group_key = place.station / "group.key"
        station.write_group_key(group_key, self.group["primary_key"])
        subject_key = []
        if self.subject_key is not None:
            station.write_subject_key(place.station / "subject.key", self.subject_key)
            subject_key = ["--subject-key", place.station / "subject.key"]
        processes.run([
            self._program("mitral"), "provision", "--config", place.config,
            "--station-key", place.station / "station.key", "--group-key-file", group_key,
            "--id-scope", self.group["id_scope"], "--registration-id", layout.REGISTRATION_ID,
            "--dps-host", place.dps, *(part for name in self.hubs for part in ("--hub", name)),
            *subject_key], place.logs, "provision")

    def _enrol(self):
        self.say("registering with DPS (mitral-enrol, once)")
        processes.run([self._program("mitral-enrol"), "--config", self.layout.config], self.layout.logs,
                      "mitral-enrol")

    def _start_daemon(self, name, ready, what):
        if name != "mitral-vault":
            self.say(f"starting {name}")
        daemon = self._launch(name, [self._program(name), "--config", self.layout.config], keep=True)
        daemon.wait_until(ready, what, timeout=30)

    def _connected(self):
        return self.uplink_status().get("connected") is True

    def connected_since(self, moment):
        """True when the uplink has said after `moment` (Unix seconds) that it is connected."""
        status = self.uplink_status()
        return bool(status.get("connected")) and clock.unix_seconds(status["updated"]) > moment

    # -- looking in ----------------------------------------------------------------------------
    def uplink_status(self):
        return _status(self.layout.uplink_status)

    def intake_status(self):
        return _status(self.layout.intake_status if self.layout.monitors is None else self.layout.hl7_status)

    def queued_records(self):
        return sum(lane.get("backlog", 0) for lane in self.uplink_status().get("lanes", []))

    def token_age(self):
        """Seconds since the token in use was minted; None when unknown."""
        issued = self.uplink_status().get("token", {}).get("issued")
        return None if issued is None else time.time() - clock.unix_seconds(issued)

    def renewals(self):
        return int(self.uplink_status().get("renewals", 0))

    def daemons(self):
        """The gateway's own running processes by name."""
        return {name: part for name, part in self.parts.items()
                if name in ("mitral-vault", *self._adapters(), "mitral-uplink") and part.running}

    # -- end -----------------------------------------------------------------------------------
    def close_intake(self):
        """SIGTERM: intake commits and closes its batch. False when it had to be killed."""
        return all([self.parts[name].stop() for name in self._adapters()])

    @staticmethod
    def wait_for(holds, timeout):
        """Polls until `holds()`. True when it did in time."""
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def stop(self):
        """Everything down, the last started first."""
        self.supervisor.end()
        for process in reversed(list(self.parts.values())):
            process.stop(timeout=5)
        self.reaper.end()

    def remove(self):
        shutil.rmtree(self.layout.root, ignore_errors=True)

    # -- faults --------------------------------------------------------------------------------
    def hub_away(self, seconds):
        self.hub.away(seconds)

    def kill_uplink(self):
        self.parts["mitral-uplink"].kill()

    def kill_intake(self):
        for name in self._adapters():
            self.parts[name].kill()

    def kill_vault(self):
        self.parts["mitral-vault"].kill()

    def renew_token(self):
        self.parts["mitral-uplink"].signal(signal.SIGUSR1)


def _status(path):
    """A daemon's own status file; {} before the first one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
