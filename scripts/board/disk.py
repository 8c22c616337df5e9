"""Changes on the disk of a unit, as somebody with the disk in hands could make them."""
import json
import subprocess
import tempfile
import zlib
from pathlib import Path

ENVIRONMENT, BOOT_A, BOOT_B, ROOT_A, ROOT_B, DATA, STATE = range(1, 8)
ENVIRONMENT_SIZE = 0x4000  # board/qemu/u-boot/locked.config


def place(disk: Path, partition: int) -> int:
    """Where the partition starts, in bytes."""
    table = json.loads(subprocess.run(["sfdisk", "-q", "--json", str(disk)], check=True, capture_output=True).stdout)
    return table["partitiontable"]["partitions"][partition - 1]["start"] * 512


def read_partition(disk: Path, partition: int, image: Path) -> None:
    table = json.loads(subprocess.run(["sfdisk", "-q", "--json", str(disk)], check=True, capture_output=True).stdout)
    size = table["partitiontable"]["partitions"][partition - 1]["size"] * 512
    subprocess.run(["dd", f"if={disk}", f"of={image}", "bs=1M", f"skip={place(disk, partition) >> 20}",
                    f"count={size >> 20}", "status=none"], check=True)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as changed:
        changed.seek(at)
        byte = changed.read(1)[0]
        changed.seek(at)
        changed.write(bytes([byte ^ 0x10]))


def find(path: Path, what: bytes, after: int = 0) -> int:
    """Where these bytes stand first."""
    with path.open("rb") as searched:
        searched.seek(after)
        block, start = b"", after
        while fresh := searched.read(1 << 22):
            at = (block + fresh).find(what)
            if at >= 0:
                return start + at
            start += len(block) + len(fresh) - len(what)
            block = (block + fresh)[-len(what):]
    raise ValueError("not there")


def write_image(disk: Path, partition: int, image: Path) -> None:
    """A signed image, or what is taken for one, into the partition of a slot."""
    with tempfile.TemporaryDirectory(dir=disk.parent) as name:
        folder, made = Path(name, "boot"), Path(name, "boot.ext4")
        folder.mkdir()
        subprocess.run(["cp", str(image), str(folder / "image.itb")], check=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum,^64bit,^has_journal", "-d", str(folder),
                        str(made), "96M"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["dd", f"if={made}", f"of={disk}", "bs=1M", f"seek={place(disk, partition) >> 20}",
                        "conv=notrunc", "status=none"], check=True)


def write_environment(disk: Path, **variables: str) -> None:
    """U-Boot's redundant environment: CRC-32, a flag, `name=value` with zero bytes between."""
    data = b"".join(f"{name}={value}".encode() + b"\0" for name, value in variables.items())
    data = data.ljust(ENVIRONMENT_SIZE - 5, b"\0")
    with tempfile.NamedTemporaryFile(dir=disk.parent) as made:
        made.write(zlib.crc32(data).to_bytes(4, "little") + b"\x01" + data)
        made.flush()
        for name in ("uboot.env", "uboot-redund.env"):
            subprocess.run(["mcopy", "-o", "-i", f"{disk}@@{place(disk, ENVIRONMENT)}", made.name, f"::{name}"],
                           check=True)


def read_environment(disk: Path) -> dict[str, str]:
    """The newer of the two copies that are whole, as U-Boot chooses."""
    copies = []
    for name in ("uboot.env", "uboot-redund.env"):
        got = subprocess.run(["mcopy", "-n", "-i", f"{disk}@@{place(disk, ENVIRONMENT)}", f"::{name}", "-"],
                             check=False, capture_output=True).stdout
        if len(got) == ENVIRONMENT_SIZE and zlib.crc32(got[5:]) == int.from_bytes(got[:4], "little"):
            copies.append(got[4:])
    if len(copies) == 2 and (copies[0][0] - copies[1][0]) % 256 > 127:
        copies.reverse()
    lines = copies[0][1:].split(b"\0\0")[0].split(b"\0") if copies else []
    return dict(line.decode().split("=", 1) for line in lines if b"=" in line)


def write_data(disk: Path, folder: Path) -> None:
    """A new data partition with what is in this folder, owners and modes as there."""
    with tempfile.NamedTemporaryFile(dir=disk.parent) as made:
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(folder), made.name, "64M"], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["dd", f"if={made.name}", f"of={disk}", "bs=1M", f"seek={place(disk, DATA) >> 20}",
                        "conv=notrunc,sparse", "status=none"], check=True)


def remove_data(disk: Path, path: str) -> None:
    """A file of the data partition is taken away, after what its journal holds was done."""
    with tempfile.NamedTemporaryFile(dir=disk.parent) as made:
        read_partition(disk, DATA, Path(made.name))
        replayed = subprocess.run(["e2fsck", "-p", made.name], check=False, capture_output=True)
        if replayed.returncode not in (0, 1):
            raise OSError(f"the data partition is damaged: {replayed.stdout.decode(errors='replace')}")
        subprocess.run(["debugfs", "-w", "-R", f"rm {path}", made.name], check=True, capture_output=True)
        subprocess.run(["dd", f"if={made.name}", f"of={disk}", "bs=1M", f"seek={place(disk, DATA) >> 20}",
                        "conv=notrunc", "status=none"], check=True)
