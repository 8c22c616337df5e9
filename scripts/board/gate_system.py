"""Gates before production: the kernel and the system it starts."""
import hashlib
import re
import stat
import subprocess
import tempfile
from pathlib import Path

import arguments
import locked_settings
import sources

ROOT = Path("root-fs", "tree")
TREES = (ROOT, Path("initramfs", "tree"))
# What the command line can only ask of a kernel that was built for it, and what no argument can make up for.
KERNEL = """\
CONFIG_MODULE_SIG=y
CONFIG_SECURITY_LOCKDOWN_LSM=y
CONFIG_SECURITY_LOCKDOWN_LSM_EARLY=y
CONFIG_STRICT_KERNEL_RWX=y
CONFIG_STRICT_MODULE_RWX=y
CONFIG_STACKPROTECTOR_STRONG=y
CONFIG_VMAP_STACK=y
CONFIG_FORTIFY_SOURCE=y
CONFIG_HARDENED_USERCOPY=y
CONFIG_SLAB_FREELIST_RANDOM=y
CONFIG_SLAB_FREELIST_HARDENED=y
CONFIG_RANDOMIZE_BASE=y
CONFIG_UNMAP_KERNEL_AT_EL0=y
CONFIG_SECURITY_YAMA=y
CONFIG_SECCOMP_FILTER=y
# CONFIG_NULL_TTY is not set
"""
SHELLS = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false")
LOGIN = re.compile(r"(?:.*getty.*|debug-shell|console-shell|rescue|emergency|sshd?)(?:@.*)?\.(?:service|socket)")
ENABLED = re.compile(r".*\.(?:wants|requires|upholds)")
SELF_TEST_KEYS = sources.ROOT / "board" / "self-test-keys"
PRIVATE = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*\n[A-Za-z0-9+/=:,\- ]{16}")


def value(blob: Path, node: str, name: str, kind: str) -> str:
    done = subprocess.run(["fdtget", "-t", kind, str(blob), node, name], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def command_lines(image: Path) -> dict[str, str]:
    """Slot -> what its signed device tree tells the kernel."""
    if not image.exists():
        raise FileNotFoundError(2, "", str(image))
    slots = subprocess.run(["fdtget", "-l", str(image), "/configurations"], capture_output=True, text=True,
                           check=True).stdout.split()
    lines = {}
    for slot in slots:
        tree = value(image, f"/configurations/{slot}", "fdt", "s")
        with tempfile.NamedTemporaryFile(suffix=".dtb") as held:
            digits = value(image, f"/images/{tree}", "data", "bx").split()
            held.write(bytes.fromhex("".join(f"{each:0>2}" for each in digits)))
            held.flush()
            lines[slot] = value(Path(held.name), "/chosen", "bootargs", "s")
    return lines


def command_line(folder: Path) -> list[str]:
    lines = command_lines(folder / "image" / "image.itb")
    found = [f"{slot}: {fault}" for slot, line in lines.items() for fault in arguments.faults(line)]
    return found if lines else ["the image has no configuration"]


def kernel_settings(folder: Path) -> list[str]:
    built = sorted((folder / "packages" / "kernel" / "boot").glob("config-*"))
    if len(built) != 1:
        raise FileNotFoundError(2, "", str(folder / "packages" / "kernel" / "boot" / "config-*"))
    return locked_settings.differences(KERNEL, built[0].read_text())


def units(root: Path) -> list[Path]:
    places = [root / each for each in ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")]
    return sorted(path for place in places if place.is_dir() for path in place.rglob("*"))


def masked(root: Path, name: str) -> bool:
    path = root / "etc/systemd/system" / name
    return path.is_symlink() and str(path.readlink()) == "/dev/null"


def logins(root: Path) -> list[str]:
    """Units that give somebody a shell and are wanted by another; accounts with a shell or a password."""
    names = {path.name for path in units(root) if LOGIN.fullmatch(path.name) and ENABLED.fullmatch(path.parent.name)
             and not masked(root, path.parent.stem)}
    found = [f"{name} starts" for name in sorted(names) if not masked(root, name)]
    for line in (root / "etc/passwd").read_text().splitlines():
        name, _, _, _, _, _, shell = line.split(":")
        if shell not in SHELLS:
            found.append(f"{name} has the shell {shell}")
    shadow = root / "etc/shadow"
    for line in shadow.read_text().splitlines() if shadow.exists() else []:
        name, password = line.split(":")[:2]
        if password[:1] not in ("!", "*"):
            found.append(f"{name} has a password, or an empty one")
    for given in ("etc/inittab", "etc/ssh/sshd_config", "root/.ssh/authorized_keys"):
        if (root / given).exists():
            found.append(f"/{given} is there")
    return found


def settings_text(root: Path) -> str:
    places = ("etc/sysctl.conf", "etc/sysctl.d", "usr/lib/sysctl.d")
    found = (root / place for place in places)
    files = (path for each in found for path in ([each] if each.is_file() else each.glob("*.conf")))
    return "\n".join(path.read_text() for path in files)


def root_file_system(folder: Path) -> list[str]:
    root = folder / ROOT
    found = logins(root)
    everything = [path for path in root.rglob("*") if not path.is_symlink()]
    found += [f"/{path.relative_to(root)} runs with its owner's rights" for path in everything
              if path.is_file() and path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
    settings = dict(re.findall(r"^\s*-?([\w.]+)\s*=\s*(\S+)", settings_text(root), re.MULTILINE))
    if settings.get("kernel.sysrq") != "0":
        found.append("no file of sysctl sets kernel.sysrq=0")
    return found


def self_tests() -> set[str]:
    lines = SELF_TEST_KEYS.read_text().splitlines()
    return {line.split()[1] for line in lines if not line.startswith("#")}


def private_keys(content: bytes) -> list[str]:
    """The SHA-256 of each, from its first line to its last."""
    ends = ((found.start(), content.find(b"KEY-----", found.end())) for found in PRIVATE.finditer(content))
    return [hashlib.sha256(content[start:end + len(b"KEY-----") if end >= 0 else None]).hexdigest()
            for start, end in ends]


def private_key(folder: Path) -> list[str]:
    found, published = [], self_tests()
    for tree in TREES:
        if not (folder / tree).is_dir():
            raise FileNotFoundError(2, "", str(folder / tree))
        found += [f"/{path.relative_to(folder / tree)} in {tree.parts[0]}"
                  for path in sorted((folder / tree).rglob("*"))
                  if path.is_file() and not path.is_symlink()
                  and not published.issuperset(private_keys(path.read_bytes()))]
    return found
