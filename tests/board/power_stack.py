"""A unit between local Azure, station and beds, whose power goes at moments that a seed chose."""
import random
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "board"), str(ROOT / "tests" / "board"), str(ROOT / "scripts" / "demo")]

import board_stack  # noqa: E402
import processes  # noqa: E402
import provisioned  # noqa: E402
import station  # noqa: E402
from unit import NothingSaid  # noqa: E402

CONFIRMED = "board: confirmed"
ANSWERED_S = 600
CANARY_HUB = "localhost:38883"  # tests/vault/canary_station.cpp
RIGHTS = {**provisioned.PEERS, "mitral-uplink": [*provisioned.PEERS["mitral-uplink"], "checkpoint"],
          "mitral-enrol": ["mint-registration", "status"]}
UNLIMITED = {"rate_burst": 100000, "rate_per_minute": 1000000, "mint_burst": 100000, "mints_per_hour": 100000,
             "pseudonym_burst": 100000, "pseudonyms_per_hour": 100000}


class PowerStack(board_stack.BoardStack):
    """Counts its power cuts and keeps what each start said."""
    vault = {**UNLIMITED, "peer": provisioned.peers(RIGHTS)}
    subject_key = bytes(range(32))

    def __init__(self, image, seed, **named):
        super().__init__(image, provisioned.BINARY / "bin", ROOT, **named)
        self.cuts, self.starts = 0, []
        self._random = random.Random(seed)
        self._order = None

    @property
    def hubs(self):
        return [self.layout.hub_name, CANARY_HUB]

    # -- power ---------------------------------------------------------------------------------
    def prepare(self):
        super().prepare()
        self._order = self._prepare_order()
        self.plug_station_in()

    def power_on(self):
        self._power_on()

    def power_off(self):
        """No cut of the twenty: what is said is kept."""
        text = self.unit.text()
        self._power_off()
        self.starts.append(text)
        with (self.layout.logs / "starts.log").open("a", encoding="utf-8") as log:
            log.write(f"{text}\n######## power off\n")

    def run_on(self, at_most_s):
        """Some part of these seconds."""
        left = self._random.uniform(0, at_most_s)
        try:
            status = self.unit.process.wait(left)
        except subprocess.TimeoutExpired:
            return left
        raise NothingSaid(f"QEMU ended by itself with status {status}: {self.unit.complaints()}")

    def cut(self, at_most_s, during):
        ran = self.run_on(at_most_s)
        self.power_off()
        self.cuts += 1
        last = [line for line in self.starts[-1].split("\n") if line.strip()][-1][:60]
        self.say(f"power cut {self.cuts}: {during}, {ran:.1f} s into it; last said: {last}")

    def come_up(self):
        self.power_on()
        self.await_console(CONFIRMED)

    # -- station -------------------------------------------------------------------------------
    def _prepare_order(self):
        place = self.layout
        station.write_group_key(place.station / "group.key", self.group["primary_key"])
        station.write_subject_key(place.station / "subject.key", self.subject_key)
        return [self._program("mitral"), "provision", "--config", place.config,
                "--station-key", place.station / "station.key", "--group-key-file", place.station / "group.key",
                "--id-scope", self.group["id_scope"], "--registration-id", provisioned.REGISTRATION.decode(),
                "--dps-host", place.dps,
                *(part for name in self.hubs for part in ("--hub", name)), "--module", "DeviceUpdate",
                "--subject-key", place.station / "subject.key"]

    def provision(self):
        processes.run(self._order, self.layout.logs, "provision", timeout=300)

    def while_provisioning(self, at_most_s):
        """The power goes when the order is on its way to the trust zone."""
        asked = self.link.carried + 2  # a statement, then the order
        with self._aside([str(part) for part in self._order]):
            if not self.wait_for(lambda: self.link.carried >= asked, 300):
                raise NothingSaid("the station gave no order")
            self.cut(at_most_s, "while the unit gets its identity")

    def while_minting(self, at_most_s, during):
        canary = [provisioned.BINARY / "tests/vault/canary_station", "exercise", self.layout.root / "station.sock",
                  "100000"]
        asked = self.link.carried + 1
        with self._aside(canary):
            if not self.wait_for(lambda: self.link.carried >= asked, 300):
                raise NothingSaid("the station asked for nothing")
            self.cut(at_most_s, during)

    def _aside(self, command):
        return _Aside([str(part) for part in command], self.layout.logs / "station.log")

    def trust_zone(self):
        said, ask = [], super().trust_zone

        def asked():
            try:
                said.extend(ask())
            except processes.StartFailed:
                return False
            return True

        if not self.wait_for(asked, ANSWERED_S):
            raise NothingSaid("the vault does not say how it is; why is in status.log")
        return said

    def _attested(self, nonce, to):
        """A vault with much to do may keep the station waiting for longer than it waits."""
        try:
            said = processes.run([self._program("mitral"), "attest", "--config", self.layout.config, "--nonce", nonce],
                                 self.layout.logs, "attest", timeout=300)
        except processes.StartFailed:
            return False
        to.write_text(said, encoding="utf-8")
        return True

    def judge(self):
        """What the trust zone signs of itself, against all it signed before; raises for every finding."""
        nonce, marks = secrets.token_hex(32), self.layout.root / "unit.marks"
        said = self.layout.root / "unit.attestation"
        mitral, logs = self._program("mitral"), self.layout.logs
        if not self.wait_for(lambda: self._attested(nonce, said), ANSWERED_S):
            raise NothingSaid("the unit made no attestation; why is in attest.log")
        return processes.run([mitral, "verify", "--marks", marks, *(() if marks.exists() else ("--record",)),
                              "--nonce", nonce, said], logs, "verify")


class _Aside:
    """A program of the station, which the power cut takes its unit from; ended when it is left."""

    def __init__(self, command, log):
        with log.open("ab") as written:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=written, stderr=written)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
