"""One unit of the QEMU board: its flash with the hardware key, its disk, and what it says on its console."""
import os
import select
import subprocess
import time
from pathlib import Path

import machine

FLASH_SIZE = 64 << 20
UNIT_PAGE = FLASH_SIZE - 4096  # board/qemu/optee/unit.c
COUNTER, COUNTER_SIZE = FLASH_SIZE - (1 << 20), 2 * (4 << 16)  # of storage, of starts
UNIT_BYTES = 16 + 32


class NothingSaid(Exception):
    """A line that was waited for did not come."""


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(source), str(target)], check=True)


class Unit:
    def __init__(self, image: Path, folder: Path):
        self.folder = folder
        self.flash = folder / "flash.bin"
        self.station_port = folder / "station.port"  # a cable to the station (station_link.py)
        self.disk = folder / "disk.image"
        self.watchdog = ("-device", "i6300esb")
        self.process: subprocess.Popen | None = None
        self.secure: int | None = None
        self.said = b""  # both worlds' consoles
        folder.mkdir(parents=True, exist_ok=True)
        self.write_flash((image / "firmware" / "flash.bin").read_bytes(), os.urandom(UNIT_BYTES))
        copy(image / "disk" / "disk.image", self.disk)

    def write_flash(self, firmware: bytes, secrets: bytes) -> None:
        with self.flash.open("wb") as flash:
            flash.write(firmware)
            flash.truncate(FLASH_SIZE)
            flash.seek(COUNTER)
            flash.write(b"\xff" * COUNTER_SIZE)
            flash.seek(UNIT_PAGE)
            flash.write(secrets)

    def start(self, *more: str) -> None:
        """Power on; `more` are further arguments for QEMU, what it then says itself is in qemu.log."""
        self.stop()
        self.said = b""
        self.secure, theirs = os.pipe()
        command = ["qemu-system-aarch64", "-nodefaults", "-display", "none", "-machine", machine.MACHINE,
                   *machine.PROCESSOR, "-drive", f"if=pflash,unit=0,format=raw,file={self.flash}",
                   "-drive", f"if=none,id=disk,format=raw,file={self.disk}", "-device", "virtio-blk-device,drive=disk",
                   *self.watchdog,
                   "-device", "virtio-serial-device", "-device", "virtserialport,chardev=station,name=mitral.station",
                   "-chardev", f"socket,id=station,path={self.station_port},server=on,wait=off",
                   "-serial", "stdio", "-serial", f"file:/dev/fd/{theirs}", *more]
        with (self.folder / "qemu.log").open("wb") as complaints:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
                                            pass_fds=(theirs,))
        os.close(theirs)

    def stop(self) -> None:
        """A power cut."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        os.close(self.secure)
        self.process = self.secure = None

    def type(self, keys: bytes) -> None:
        self.process.stdin.write(keys)
        self.process.stdin.flush()

    def listen(self, seconds: float) -> bool:
        """Takes in what the consoles say next; false after so long in silence, or when the machine is gone."""
        ready, _, _ = select.select([self.process.stdout, self.secure], [], [], max(seconds, 0))
        heard = b"".join(os.read(each if isinstance(each, int) else each.fileno(), 65536) for each in ready)
        self.said += heard
        return bool(heard)

    def wait_for(self, *lines: str, within: float = 240.0) -> str:
        """The first of these texts that a console shows; all that was said since the start is in `said`."""
        deadline = time.monotonic() + within
        while True:
            for line in lines:
                if line.encode() in self.said:
                    return line
            if not self.listen(deadline - time.monotonic()):
                raise NothingSaid(f"none of {lines} within {within:.0f} s; the end:\n{self.text()[-1500:]}")

    def listen_on(self, seconds: float) -> None:
        """Takes in all that is said in this time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.listen(left)

    def complaints(self) -> str:
        """What QEMU itself said."""
        return (self.folder / "qemu.log").read_text(errors="replace")

    def text(self) -> str:
        return self.said.decode(errors="replace").replace("\r", "")

    def __enter__(self) -> "Unit":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
