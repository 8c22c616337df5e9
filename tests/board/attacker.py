"""An attacker who is root on a unit: a shell that only the image made here has, and a door to the trust zone.

Firmware, kernel and root file system are those of `make board`. The initramfs, signed as ours is, puts one more unit
into /run before it starts the system.
"""
import base64
import functools
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "board"), str(ROOT / "tests" / "board")]

import disk  # noqa: E402
import keys  # noqa: E402
from plan import VAULT_UID  # noqa: E402
from signed_again import IMAGE, sign  # noqa: E402
from unit import Unit  # noqa: E402

PARTS = ROOT / "tests" / "board" / "attack"
WAY_IN = """busybox mount -t tmpfs -o nosuid,nodev,mode=0755 run /system/run
busybox cp -a /attack/. /system/run/
"""
GOES_ON = "exec busybox switch_root"
ANSWER_S = 600.0


@functools.lru_cache(maxsize=1)
def image() -> tempfile.TemporaryDirectory:
    """A folder with the attacker's signed image, made once and gone with this process."""
    made = tempfile.TemporaryDirectory(prefix="mitral-attacker-")
    folder = Path(made.name)
    tree = folder / "tree"
    shutil.copytree(IMAGE / "initramfs" / "tree", tree, symlinks=True)
    init = (tree / "init").read_text()
    if init.count(GOES_ON) != 1:
        raise ValueError("the initramfs goes on in another way: mend WAY_IN")
    (tree / "init").write_text(init.replace(GOES_ON, WAY_IN + GOES_ON))
    _put_in(tree / "attack")
    (folder / "board" / "initramfs").mkdir(parents=True)
    pack = "find . -mindepth 1 | cpio -o -H newc -R 0:0 --quiet | zstd -q -1 -o ../board/initramfs/initramfs.zst"
    subprocess.run(pack, shell=True, cwd=tree, check=True)
    sign(keys.Directory(IMAGE / "keys"), folder / "board", "development", ("image",))
    return made


def _put_in(attack: Path) -> None:
    wanted = attack / "systemd" / "system" / "multi-user.target.wants"
    wanted.mkdir(parents=True)
    shutil.copy(PARTS / "attacker.service", wanted.parent)
    (wanted / "attacker.service").symlink_to("../attacker.service")
    (attack / "attacker").mkdir()
    shutil.copy(PARTS / "shell", attack / "attacker")
    client = IMAGE / "packages" / "client" / "usr"
    subprocess.run(["aarch64-linux-gnu-gcc", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{client / 'include'}",
                    f"-I{ROOT / 'src'}", str(PARTS / "ask.c"), str(client / "lib/aarch64-linux-gnu/libteec.so.2"),
                    "-Wl,--allow-shlib-undefined", "-o", str(attack / "attacker" / "ask")], check=True)


def taken(unit: Unit) -> Unit:
    """Slot a is the attacker's from now on; slot b stays as `make board` made it."""
    disk.write_image(unit.disk, disk.BOOT_A, Path(image().name) / "board" / "image" / "image.itb")
    return unit


class Attacker:
    """Commands as root on a unit that was started with `arguments()`."""

    def __init__(self, unit: Unit):
        self._port = unit.folder / "attacker.port"
        self._socket: socket.socket | None = None

    def arguments(self) -> list[str]:
        self.close()  # of a start before
        return ["-device", "virtserialport,chardev=attacker,name=mitral.attacker",
                "-chardev", f"socket,id=attacker,path={self._port},server=on,wait=off"]

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def run(self, command: str) -> tuple[int, str]:
        """Exit status and what was said; waits until the unit is up."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.connect(str(self._port))
        self._socket.sendall(command.encode() + b"\n")
        said, deadline = b"", time.monotonic() + ANSWER_S
        while not said.endswith(b"\n"):
            self._socket.settimeout(max(deadline - time.monotonic(), 0.01))
            more = self._socket.recv(65536)
            if not more:
                raise OSError("the unit is gone")
            said += more
        status, _, text = said.decode().partition(" ")
        return int(status), base64.b64decode(text).decode(errors="replace")

    def must(self, command: str) -> str:
        status, said = self.run(command)
        if status != 0:
            raise OSError(f"{command}: {status}: {said}")
        return said

    def ask(self, command: int, request: bytes) -> bytes:
        """The Trusted Application's reply, past the vault, which must not run."""
        result, reply = self.must(f"/run/attacker/ask {VAULT_UID} {command} {request.hex() or '-'}").split(" ")
        if int(result, 16) != 0:
            raise OSError(f"the trust zone refuses the call: {result}")
        return bytes.fromhex(reply)
