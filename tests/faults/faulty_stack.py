"""The demo's stack with the fault tools between its parts.

    stack = FaultyStack(disk=True, links=True, clocks=("mitral-uplink",)).start()
    stack.hub_link.set("blackhole")              # a FaultProxy between uplink and hub; dps_link for enrolment
    stack.disk.add("io", op="fsync", errno="EIO")    # an ErrorFs under the spool
    stack.clocks["mitral-uplink"].shift(-3600)       # a FakeClock
    stack.stop(); stack.remove()
"""
import base64
import json
import os
import pathlib
import socket
import sys
import time
import urllib.request

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BINARY = pathlib.Path(os.environ.get("MITRAL_BINARY_DIR", SOURCE / "build/release"))
sys.path[:0] = [str(SOURCE / "scripts/demo"), str(SOURCE / "tests")]
import gateway  # noqa: E402
import layout  # noqa: E402
import processes  # noqa: E402
from faults.clock import FakeClock  # noqa: E402
from faults.errorfs import ErrorFs  # noqa: E402
from faults.proxy import FaultProxy  # noqa: E402


class LinkedLayout(layout.Layout):
    """The gateway's configuration names the ports of the proxies, if there are any."""

    hub_port = None
    dps_port = None

    @property
    def hub_name(self):
        return f"localhost:{self.hub_port or self.ports.mqtt}"

    @property
    def dps(self):
        return f"localhost:{self.dps_port or self.ports.https}"

    def config_text(self):
        text = super().config_text()
        return text.replace(f"hub_port = {self.ports.mqtt}\n", f"hub_port = {self.hub_port or self.ports.mqtt}\n")


class FaultyStack(gateway.Stack):
    layout_class = LinkedLayout

    def __init__(self, disk=False, links=False, clocks=(), tuning=layout.Tuning(), say=lambda _: None):
        super().__init__(BINARY / "bin", SOURCE, tuning=tuning, say=say)
        plain = self.layout
        self.layout = self.layout_class(plain.root, plain.ports, plain.tuning)
        self.clocks = dict.fromkeys(clocks)
        self.disk = self.hub_link = self.dps_link = None
        self._with_disk = disk
        if links:
            self.hub_link = FaultProxy(("127.0.0.1", plain.ports.mqtt))
            self.dps_link = FaultProxy(("127.0.0.1", plain.ports.https))
            self.layout.hub_port, self.layout.dps_port = self.hub_link.port, self.dps_link.port

    def _start_cloud(self):
        self._mount_disk()
        super()._start_cloud()

    def _mount_disk(self):
        if not self._with_disk:
            return
        place = self.layout.root / "disk"
        place.mkdir()
        of_spool = os.stat(self.layout.spool)
        os.chown(place, of_spool.st_uid, of_spool.st_gid)
        place.chmod(of_spool.st_mode & 0o7777)
        self.disk = ErrorFs(BINARY / "tests/faults/errorfs", place, self.layout.spool).mount()

    def _readable_by(self, name):
        """A directory that the daemon may read from inside its sandbox."""
        return {"mitral-vault": self.layout.state / "vault", "mitral-uplink": self.layout.state / "uplink",
                "mitral-intake-lines": self.layout.run / "intake", "mitral-enrol": self.layout.state / "enrol"}[name]

    def under_clock(self, name, argv):
        if name not in self.clocks:
            return argv
        if self.clocks[name] is None:
            self.clocks[name] = FakeClock(self._readable_by(name))
        return self.clocks[name].command(argv)

    def _launch(self, name, argv, keep=False):
        return super()._launch(name, self.under_clock(name, argv), keep)

    # -- what tests ask ----------------------------------------------------------------------------
    def fault(self, name, method="POST", **parameters):
        """A fault of the hub; its row, or what it dropped."""
        query = "&".join(f"{key}={value}" for key, value in parameters.items())
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.layout.ports.admin}/faults/{name}?{query}", method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def fault_fired(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.layout.ports.admin}/faults", timeout=20) as answer:
            return next(row["fired"] for row in json.load(answer)["faults"] if row["name"] == name)

    def rows(self):
        """What the hub has stored of vital signs: (row, when intake received it in Unix seconds), resends included."""
        for entry in self.hub.log():
            if entry["properties"].get("schema") == "mitral.vitals/1":
                batch = json.loads(base64.b64decode(entry["body"]))
                for row in batch["rows"]:
                    yield row, (batch["base_time"] + row[2]) / 1000

    def delivered(self):
        """The control ids of these rows."""
        return [row[0] for row, _received in self.rows()]

    def enrol(self):
        """One run of mitral-enrol; raises StartFailed when it gives up."""
        argv = [self._program("mitral-enrol"), "--config", self.layout.config]
        processes.run(self.under_clock("mitral-enrol", argv), self.layout.logs, "mitral-enrol")

    def _enrol(self):
        self.enrol()

    def stop(self):
        super().stop()
        for link in (self.hub_link, self.dps_link):
            if link is not None:
                link.close()
        if self.disk is not None:
            self.disk.unmount()


class Sensor:
    """One source of readings: sends a line, waits until it is decided."""

    def __init__(self, lines_socket, source="bed-1", timeout=20):
        self._link = socket.socket(socket.AF_UNIX)
        self._link.settimeout(timeout)
        self._link.connect(str(lines_socket))
        self._answers = self._link.makefile("r")
        self._sent = 0
        self._link.sendall(json.dumps({"schema": "mitral.lines/1", "source": source}).encode() + b"\n")

    def say(self, name, value=62):
        """'ok', or why not: 'later …', 'no …'. (`ok N` covers all lines up to N, also those that were put off.)"""
        reading = {"id": name, "obs": [{"code": "MDC_ECG_HEART_RATE", "value": value, "unit": "/min"}]}
        self._link.sendall(json.dumps(reading).encode() + b"\n")
        self._sent += 1
        verdict = "ok"
        while True:
            word, _, rest = self._answers.readline().strip().partition(" ")
            number = int(rest.split(" ")[0]) if rest else 0
            if word == "ok" and number >= self._sent:
                return verdict
            if word in ("later", "no") and number == self._sent:
                verdict = f"{word} {rest.partition(' ')[2]}"
            elif not word:
                raise ConnectionError("intake closed the connection")

    def say_until_stored(self, name, pause_s=0.05, timeout=60):
        """Sends it again as long as intake asks for that; the answers but the last."""
        refusals = []
        deadline = time.monotonic() + timeout
        while (answer := self.say(name)) != "ok":
            refusals.append(answer)
            if time.monotonic() > deadline:
                raise TimeoutError(f"not stored: {refusals[-1]}")
            time.sleep(pause_s)
        return refusals

    def close(self):
        self._answers.close()
        self._link.close()
