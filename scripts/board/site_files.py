"""What a site puts on the data partition of a development unit: settings, certificates, names."""
import os
import shutil
import sys
from pathlib import Path

import networks
import sources

sys.path.insert(0, str(sources.ROOT / "scripts" / "demo"))

import toml_text  # noqa: E402

ETC = Path("/etc/mitral")  # on the unit
USERS = dict(line.split() for line in (sources.ROOT / "board" / "common" / "users").read_text().splitlines()
             if not line.startswith("#"))


def settings(hub_port: int, dps: str, vault: dict | None = None, monitors: list[dict] | None = None) -> str:
    """mitral.toml of a unit between these monitors and this hub; without monitors nobody outside reaches the intake."""
    tls = {"address": "0.0.0.0:2575", "certificate": ETC / "gateway.pem", "key": ETC / "gateway.key",
           "client_roots": [ETC / "ward.pem"]}
    ward = {"code_tables": [ETC / "bedside.toml"], "listen": [tls, {"address": "0.0.0.0:2576"}], "monitor": monitors}
    tables = {
        "vault": {"backend": "optee", **(vault or {})},
        "intake-lines": {"reader_group": "mitral-uplink", "socket_group": "mitral-sensors"},
        "intake-hl7": {"reader_group": "mitral-uplink", "batch_interval_s": 1,
                       **(ward if monitors else {"listen": [{"address": "127.0.0.1:2576"}]})},
        "enrol": {"dps": dps, "root_files": [ETC / "azure.pem"]},
        "uplink": {"root_files": [ETC / "azure.pem"], "hub_port": hub_port},
    }
    return "".join(toml_text.table(name, table) for name, table in tables.items())


def data(folder: Path, text: str, files: dict[str, Path], hosts: tuple[str, ...]) -> Path:
    """A folder like the data partition; `files`: name below /etc/mitral -> file here."""
    etc = folder / "etc" / "mitral"
    etc.mkdir(parents=True)
    (etc / "mitral.toml").write_text(text, encoding="utf-8")
    for name, file in files.items():
        shutil.copyfile(file, etc / name)
        (etc / name).chmod(0o644)
    if (etc / "gateway.key").exists():
        os.chown(etc / "gateway.key", int(USERS["mitral-intake-hl7"]), 0)
        (etc / "gateway.key").chmod(0o400)
    (folder / "etc" / "hosts").write_text("127.0.0.1 localhost\n" + "".join(
        f"{networks.AZURE} {name}\n" for name in hosts), encoding="ascii")
    return folder
