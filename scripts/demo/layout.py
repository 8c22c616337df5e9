"""Where the stack of one run lives: a scratch directory, its ports, its configuration.

The daemons get what an installed unit has, only elsewhere: a configuration file, state and run
directories owned by users of their own.
"""
import dataclasses
import grp
import os
import pathlib
import pwd
import shutil
import subprocess

import processes
import toml_text

USERS = ("mitral-vault", "mitral-intake", "mitral-intake-hl7", "mitral-uplink", "mitral-enrol", "mitral-cloud")
REGISTRATION_ID = "mitral-demo-1"


def ensure_users(sysusers_file, say):
    """Creates the daemons' users when they are missing, as `make install` would."""
    missing = [user for user in USERS if not _known(user)]
    if not missing:
        return
    say(f"creating the users {', '.join(missing)} (systemd-sysusers, as `make install` would)")
    if shutil.which("systemd-sysusers") is None:
        raise processes.StartFailed("systemd-sysusers is missing: install the package systemd, or create the users "
                                    + ", ".join(missing))
    done = subprocess.run(["systemd-sysusers", str(sysusers_file)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise processes.StartFailed(f"systemd-sysusers {sysusers_file}: {done.stderr.strip()}")


def _known(user):
    try:
        pwd.getpwnam(user)
        return True
    except KeyError:
        return False


@dataclasses.dataclass(frozen=True)
class Ports:
    mqtt: int
    https: int
    admin: int
    tpm: int

    @classmethod
    def free(cls):
        tpm = processes.free_port_pair()
        mqtt, https, admin = processes.free_ports(3)
        return cls(mqtt, https, admin, tpm)


@dataclasses.dataclass(frozen=True)
class Tuning:
    """What tests turn; the defaults suit a demo that should look alive."""
    batch_interval_s: int = 1
    batch_kb: int = 64
    spool_mb: int = 512
    segment_mb: int = 4
    token_lifetime_s: int = 3600


class Layout:
    def __init__(self, scratch, ports, tuning):
        self.monitors = None    # how to reach mitral-intake-hl7 (bedside.Hl7Place); None: it does not run
        self.root = pathlib.Path(scratch)
        self.ports, self.tuning = ports, tuning
        self.logs = self.root / "logs"
        self.books = self.root / "books"
        self.cloud = self.root / "cloud"
        self.tpm = self.root / "tpm"
        self.station = self.root / "station"
        self.config = self.root / "etc/mitral.toml"
        self.station_public = self.root / "etc/station.pub"
        self.state = self.root / "lib"
        self.run = self.root / "run"
        self.vault_socket = self.run / "vault/vault.sock"
        self.lines_socket = self.run / "intake/lines.sock"
        self.intake_status = self.run / "intake/lines.json"
        self.uplink_status = self.run / "uplink/uplink.json"
        self.assignment = self.state / "enrol/assignment.json"
        self.spool = self.state / "spool/lines"
        self.hl7 = self.root / "hl7"
        self.hl7_spool = self.state / "spool/hl7"
        self.hl7_status = self.run / "intake-hl7/intake-hl7.json"

    @property
    def hub_name(self):
        return f"localhost:{self.ports.mqtt}"

    @property
    def dps(self):
        return f"localhost:{self.ports.https}"

    @property
    def root_file(self):
        return self.cloud / "tls/ca.pem"

    def create(self):
        hl7 = () if self.monitors is None else (
            (self.hl7, "root", "root", 0o700),
            (self.hl7_status.parent, "mitral-intake-hl7", "mitral-intake-hl7", 0o755),
            (self.hl7_spool, "mitral-intake-hl7", "mitral-uplink", 0o2750))
        for path, owner, group, mode in (
                (self.root, "root", "root", 0o755),
                (self.logs, "root", "root", 0o700),
                (self.books, "root", "root", 0o755),
                (self.cloud, "mitral-cloud", "mitral-cloud", 0o755),
                (self.tpm, "root", "root", 0o700),
                (self.station, "root", "root", 0o700),
                (self.config.parent, "root", "root", 0o755),
                (self.run, "root", "root", 0o755),
                (self.run / "vault", "mitral-vault", "mitral-vault", 0o755),
                (self.run / "intake", "mitral-intake", "mitral-intake", 0o755),
                (self.run / "uplink", "mitral-uplink", "mitral-uplink", 0o755),
                (self.state, "root", "root", 0o755),
                (self.state / "vault", "mitral-vault", "mitral-vault", 0o700),
                (self.state / "spool", "root", "root", 0o755),
                (self.spool, "mitral-intake", "mitral-uplink", 0o2750),
                (self.state / "uplink", "mitral-uplink", "mitral-uplink", 0o755),
                (self.state / "enrol", "mitral-enrol", "mitral-uplink", 0o755), *hl7):
            path.mkdir(parents=True, exist_ok=True)
            os.chown(path, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
            path.chmod(mode)
        if self.monitors is not None:
            self.monitors.make_certificates()

    def write_config(self):
        self.config.write_text(self.config_text(), encoding="utf-8")
        self.config.chmod(0o644)

    def config_text(self):
        return "".join(toml_text.table(name, settings) for name, settings in self.tables().items())

    def tables(self):
        """The settings, program by program."""
        tuning = self.tuning
        batches = {"max_bytes_mb": tuning.spool_mb, "segment_mb": tuning.segment_mb,
                   "batch_interval_s": tuning.batch_interval_s, "batch_kb": tuning.batch_kb}
        spools = [self.spool] if self.monitors is None else [self.spool, self.hl7_spool]
        hl7 = {} if self.monitors is None else {"intake-hl7": {
            "spool": self.hl7_spool, "vault": self.vault_socket, "user": "mitral-intake-hl7",
            "reader_group": "mitral-uplink", "status": self.hl7_status, "acknowledgements": self.state / "uplink",
            **batches, **self.monitors.settings()}}
        return {
            "vault": {
                "socket": self.vault_socket, "state": self.state / "vault", "backend": "tpm",
                "tcti": f"swtpm:host=127.0.0.1,port={self.ports.tpm}",
                "station_key": self.station_public, "user": "mitral-vault"},
            "intake-lines": {
                "socket": self.lines_socket, "spool": self.spool, "vault": self.vault_socket,
                "user": "mitral-intake", "reader_group": "mitral-uplink", "status": self.intake_status,
                "acknowledgements": self.state / "uplink", **batches},
            **hl7,
            "enrol": {
                "vault": self.vault_socket, "dps": self.dps, "root_files": [self.root_file],
                "assignment": self.assignment, "user": "mitral-enrol"},
            "uplink": {
                "vault": self.vault_socket, "assignment": self.assignment, "spools": spools,
                "state": self.state / "uplink", "root_files": [self.root_file],
                "hub_port": self.ports.mqtt, "token_lifetime_s": tuning.token_lifetime_s, "status": self.uplink_status,
                "user": "mitral-uplink"},
        }
