"""A small Debian that boots in systemd-nspawn: made once from the machine's own package archive, then unpacked
afresh for every boot."""
import atexit
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

BASE_PACKAGES = ["systemd", "systemd-sysv", "dbus"]
BOOT_TIMEOUT = 120  # seconds
# nspawn's own filter is older than Landlock, and its limits are narrower than a machine's.
ALLOWED_IN_CONTAINER = ["--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp",
                        "--rlimit=MEMLOCK=infinity"]


class CannotBoot(Exception):
    """This machine cannot run the test; the message says why."""


def require():
    if os.geteuid() != 0:
        raise CannotBoot("needs root")
    for tool in ("systemd-nspawn", "mmdebstrap"):
        if shutil.which(tool) is None:
            raise CannotBoot(f"{tool} is not installed")


def packages_of(programs):
    """The packages that bring the shared libraries of these programs."""
    paths = set()
    for program in programs:
        listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
        for library in re.findall(r"=> (/\S+)", listing):
            # With a merged /usr, dpkg may know the file under either name.
            paths |= {library, library.removeprefix("/usr"), os.path.realpath(library)}
    # One question for all: each one reads dpkg's whole list. Names it does not know are no matter.
    owners = subprocess.run(["dpkg-query", "--search", *sorted(paths)], capture_output=True, text=True, check=False)
    return sorted({line.split(":")[0] for line in owners.stdout.splitlines()})


def _release():
    text = pathlib.Path("/etc/os-release").read_text()
    return re.search(r"^VERSION_CODENAME=(\w+)", text, re.MULTILINE)[1]


def _sources():
    """The apt sources of this machine that are Debian's own."""
    places = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
    found = [str(place) for place in places if place.is_file() and place.suffix in (".list", ".sources") and
             re.search(rf"(?m)^(?:Suites:|deb ).*\b{_release()}\b", place.read_text())]
    if not found:
        raise CannotBoot(f"apt on this machine names no archive with {_release()}")
    return found


def _proxies():
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    return [f"--aptopt={line}" for line in dump.splitlines() if re.match(r"Acquire::https?::proxy", line, re.I)]


def base_image(cache, packages):
    """The path of a tar file with a minimal Debian and these packages."""
    wanted = sorted({*BASE_PACKAGES, *packages})
    name = hashlib.sha256(" ".join([_release(), *wanted]).encode()).hexdigest()[:16]
    image = cache / f"{_release()}-{name}.tar"
    if image.exists():
        return image
    cache.mkdir(parents=True, exist_ok=True)
    print(f"making a minimal Debian with {len(wanted)} packages (once)", flush=True)
    partial = cache / "partial.tar"
    made = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(wanted)}",
                           "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                           *_proxies(), _release(), partial, *_sources()],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise CannotBoot("mmdebstrap could not make a Debian: " + made.stderr.strip().splitlines()[-1])
    partial.rename(image)
    return image


def unpacked(image):
    base = image.with_suffix(".base")
    if not base.exists():
        partial = image.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        subprocess.run(["tar", "--directory", partial, "--extract", "--file", image], check=True)
        partial.rename(base)
    return base


class Machine:
    """An unpacked image under a fresh layer; files are put in from outside, then it boots until it powers itself off."""

    def __init__(self, root, image):
        self.root = root
        base = unpacked(image)
        subprocess.run(["umount", "--lazy", root], capture_output=True, check=False)
        layers = [root.with_suffix(suffix) for suffix in (".upper", ".work")]
        for directory in (root, *layers):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        options = f"lowerdir={base},upperdir={layers[0]},workdir={layers[1]}"
        overlay = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root], capture_output=True,
                                 check=False)
        if overlay.returncode == 0:
            atexit.register(subprocess.run, ["umount", "--lazy", root], check=False)
        else:  # no overlays here: a copy does as well, slower
            subprocess.run(["cp", "--archive", f"{base}/.", root], check=True)
        # Nothing of this boot needs the services that wait for hardware or networks.
        for unit in ("systemd-networkd-wait-online.service", "systemd-timesyncd.service"):
            self.run_tool("systemctl", "mask", "--quiet", unit)

    def write(self, path, text, mode=0o644):
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def copy(self, source, path):
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        target.chmod(0o755)

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text()

    def exists(self, path):
        return (self.root / path.lstrip("/")).exists()

    def run_tool(self, tool, *arguments):
        """One of systemd's tools, with --root."""
        subprocess.run([tool, f"--root={self.root}", *arguments], check=True, capture_output=True)

    def boot(self):
        """Boots in a network namespace of its own; returns when the machine has powered off."""
        here = [] if pathlib.Path("/run/systemd/system").exists() else ["--keep-unit"]
        process = subprocess.Popen(["systemd-nspawn", "--quiet", "--register=no", *here, "--directory", self.root,
                                    "--private-network", "--kill-signal=SIGRTMIN+3", "--console=pipe", "--boot",
                                    *ALLOWED_IN_CONTAINER],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            output, _ = process.communicate(timeout=BOOT_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return False, output
        return True, output
