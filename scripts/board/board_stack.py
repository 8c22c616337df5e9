"""Local Azure and beds of the demo around a unit of the board in QEMU; the station is on this host."""
import json
import shutil
import sys
import threading
from pathlib import Path

import disk
import networks
import site_files
import sources
from station_link import StationLink
from unit import NothingSaid, Unit

sys.path.insert(0, str(sources.ROOT / "scripts" / "demo"))

import bedside  # noqa: E402
import layout  # noqa: E402
import processes  # noqa: E402
import station  # noqa: E402
import toml_text  # noqa: E402

HUB = "hub.mitral.test"
UP_S = 900.0  # a loaded machine emulates slowly


class BoardLayout(layout.Layout):
    """The host's part of it; the gateway's own folders are on the unit. Names and ports are as the unit sees them."""

    @property
    def hub_name(self):
        return f"{HUB}:{networks.HUB_PORT}"

    @property
    def dps(self):
        return f"{HUB}:{networks.DPS_PORT}"


class BoardWard(bedside.Hl7Place):
    """Each bed sends to a port of its own, and comes to the unit by a network of its own."""

    def __init__(self, directory, code_table):
        self.ports = dict(zip(networks.GATEWAY_FOR_BEDS, processes.free_ports(len(networks.GATEWAY_FOR_BEDS))))
        super().__init__(directory, (self.ports["bed-1"], self.ports["bed-4"]), code_table)

    def beds(self):
        return [{**bed, "to": f"127.0.0.1:{self.ports[bed['source']]}"} for bed in super().beds()]

    def on_unit(self):
        """The monitors, as the unit is told of them."""
        return [{**monitor, "address": networks.address_of(monitor["source"])}
                for monitor in super().settings()["monitor"]]

    def files(self):
        return {"gateway.pem": self.directory / f"{bedside.GATEWAY}.pem",
                "gateway.key": self.directory / f"{bedside.GATEWAY}.key",
                "ward.pem": self.directory / "ward.pem", "bedside.toml": self.code_table}


class Console(threading.Thread):
    """Takes in what the unit says, as long as it runs."""

    def __init__(self, unit, log):
        super().__init__(name="console", daemon=True)
        self._unit, self._log = unit, log
        self._ending = threading.Event()
        self.start()

    def run(self):
        while not self._ending.is_set() and self._unit.process.poll() is None:
            self._unit.listen(0.2)
            self._log.write_text(self._unit.text(), encoding="utf-8")

    def end(self):
        self._ending.set()
        self.join()


class BoardStack(bedside.BedsideStack):
    needed = ("mitral", "mitral-cloud", "mitral-bedside")
    vault = None  # more of its settings on the unit

    def __init__(self, image, programs, source, station_key=None, **named):
        """`station_key`: of the one station that a production image takes; else one is made."""
        self.image, self.station_key = Path(image), station_key
        self.unit = self.link = self.console = None
        self.heard = b""  # on the unit's consoles, until it was switched off
        super().__init__(programs, source, **named)
        self.layout = BoardLayout(self.layout.root, self.layout.ports, self.layout.tuning)
        self.layout.monitors = BoardWard(self.layout.hl7, source / "share/codes/bedside.toml")

    def _check_machine(self):
        if not processes.is_root():
            raise processes.StartFailed("needs root, for the local Azure's user: run it with sudo")
        missing = [str(self.programs / name) for name in self.needed if not (self.programs / name).exists()]
        missing += [tool for tool in ("mllp_send", "qemu-system-aarch64") if shutil.which(tool) is None]
        if not (self.image / "disk.made").exists():
            missing.append(f"the image in {self.image} (make board)")
        if missing:
            raise processes.StartFailed("missing: " + ", ".join(missing))

    @property
    def cloud_names(self):
        return [HUB, "localhost"]

    def start(self):
        self.prepare()
        self.say("starting a unit in QEMU: firmware, OP-TEE, U-Boot, kernel, the gateway under systemd")
        self._power_on()
        self.plug_station_in()
        self.await_confirmed()
        self._provision()
        self.say("the unit says: " + "; ".join(self.trust_zone()))
        self.say("the unit goes to the ward: power off, power on")
        self.power_cut()
        self.await_confirmed()
        return self

    def prepare(self):
        """Everything but the unit's power."""
        layout.ensure_users(self.source / "src/base/mitral.sysusers", self.say)
        self.layout.create()
        self._start_cloud()
        self._set_up_station()
        self.unit = Unit(self.image, self.layout.root / "unit")
        disk.write_data(self.unit.disk, self._data())

    def plug_station_in(self):
        self.link = StationLink(self.unit.station_port, self.layout.root / "station.sock")
        self.layout.config.write_text(toml_text.table("vault", {
            "socket": self.layout.root / "station.sock", "station_key": self.layout.station_public}), encoding="utf-8")

    def _set_up_station(self):
        key, public = self.layout.station / "station.key", self.layout.station_public
        if self.station_key is None:
            station.make_station_key(key, public)
        else:
            station.use_station_key(self.station_key, key, public)

    def _data(self):
        place, ward = self.layout, self.layout.monitors
        text = site_files.settings(networks.HUB_PORT, place.dps, self.vault, ward.on_unit())
        return site_files.data(place.root / "data", text,
                               {"station.pub": place.station_public, "azure.pem": place.root_file, **ward.files()},
                               (HUB,))

    def _power_on(self):
        ports = self.layout.ports
        self.unit.start(*networks.wan(ports.mqtt, ports.https), *networks.ward(self.layout.monitors.ports))
        self.reaper.watch(self.unit.process.pid)
        self.console = Console(self.unit, self.layout.logs / "console.log")

    def _power_off(self):
        if self.console is not None:
            self.console.end()
            self.console = None
        if self.unit is not None and self.unit.process is not None:
            self.reaper.forget(self.unit.process.pid)
            self.heard += self.unit.said
            self.unit.stop()

    def power_cut(self):
        self._power_off()
        self._power_on()

    def await_console(self, text):
        if not self.wait_for(lambda: text in self.unit.text() or self.unit.process.poll() is not None, UP_S) \
                or text not in self.unit.text():
            raise NothingSaid(f"the unit did not say '{text}'; the end of its console:\n{self.unit.text()[-2000:]}")

    def await_confirmed(self):
        """Seen on the disk, as production says nothing: U-Boot counts a start, a gateway that is well resets that."""

        def count():
            return disk.read_environment(self.unit.disk).get("bootcount")

        for wanted, what in ((lambda: count() not in (None, "0"), "was not started"),
                             (lambda: count() == "0", "did not become well")):
            if not self.wait_for(lambda w=wanted: w() or self.unit.process.poll() is not None, UP_S) or not wanted():
                raise NothingSaid(f"the unit {what}; the end of its console:\n{self.unit.text()[-2000:]}")

    def trust_zone(self):
        """What the unit's vault says of itself, asked by the station."""
        if self.station_key is not None:
            return ["nothing, as a production unit that has an identity serves no station"]
        said = processes.run([self._program("mitral"), "status", "--json", "--config", self.layout.config],
                             self.layout.logs, "status")
        vault = json.loads(said)["vault"]
        return [f"{key} {vault[key]}" for key in ("state", "backend") if key in vault]

    def stop(self):
        self._power_off()
        if self.link is not None:
            self.link.close()
            self.link = None
        super().stop()
