"""A unit with an identity: the station on this host gives it over the cable, with keys that this host knows."""
import base64
import hmac
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

import board_chain  # noqa: E402
import station_link  # noqa: E402

BINARY = Path(os.environ.get("MITRAL_BINARY_DIR", board_chain.ROOT / "build/release"))
REGISTRATION = b"canary-unit"  # tests/vault/canary_station.cpp
# The station may ask what it likes, so that its answers can be judged; the others what they need.
PEERS = {"root": ["mint-hub", "mint-registration", "new-data-key", "open-data-key", "begin-provisioning",
                  "execute-order", "status", "pseudonym", "attest"],
         "mitral-intake": ["new-data-key", "status"], "mitral-intake-hl7": ["new-data-key", "pseudonym"],
         "mitral-uplink": ["mint-hub", "open-data-key", "status"]}


def peers(rights):
    """As [[vault.peer]] has them."""
    both = {"identities": ["device", "modules/DeviceUpdate"]}
    return [{"user": user, "may": may, **(both if user == "root" else {})} for user, may in rights.items()]


def station_keys():
    """An Ed25519 pair: seed and public key."""
    pair = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-outform", "DER"], check=True,
                          capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], check=True,
                            capture_output=True, input=pair).stdout
    return pair[-32:], public[-32:]


class Keys:
    """The station's, and what it derives from them for the unit."""

    def __init__(self):
        self.station, self.public = station_keys()
        self.group, self.subject = os.urandom(32), os.urandom(32)
        self.device = hmac.digest(self.group, REGISTRATION, "sha256")
        self.module = hmac.digest(self.device, b"mitral module key 1\0DeviceUpdate", "sha256")


class Provisioned(board_chain.Board):
    def station(self, *words):
        """The station, which is on this host, over its cable."""
        return subprocess.run([BINARY / "tests/vault/canary_station", words[0], self.socket, *words[1:]],
                              capture_output=True, text=True, check=False, timeout=600)

    def key_file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def set_up(self, public, backend="optee", canary=None):
        vault = {"backend": backend, "peer": peers(PEERS)}
        public_file = self.key_file("station.pub", base64.b64encode(public) + b"\n")
        self.set_up_unit(vault, {"station.pub": public_file}, canary=canary)
        self.socket = self.folder / "station.sock"
        self.link = None
        self.addCleanup(self.unplug)
        self.plug_in(self.unit)

    def plug_in(self, unit):
        """The station's cable, out of the unit it was in, into this one."""
        self.unplug()
        self.link = station_link.StationLink(unit.station_port, self.socket)

    def unplug(self):
        if self.link is not None:
            self.link.close()
            self.link = None

    def provision(self, keys, station=None):
        return self.station("provision", self.key_file("station.key", station or keys.station),
                            self.key_file("group.key", keys.group), self.key_file("subject.key", keys.subject))

    def exercised(self, times):
        """What the vault gave: three tokens, a pseudonym and a data key each time."""
        said = self.station("exercise", str(times))
        self.assertEqual(0, said.returncode, said.stderr)
        return [json.loads(line) for line in said.stdout.splitlines()]
