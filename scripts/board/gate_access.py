"""Gates before production: who can come to a unit, and by what."""
import re
from pathlib import Path

import gate_system
import plan

# The programs in the search path: what else is there is a shell, a login, a debugger, or for trials.
WANTED = set((plan.COMMON / "production" / "programs").read_text().split())
PLACES = ("usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "usr/libexec", "bin", "sbin")
GENERATORS = "usr/lib/systemd/system-generators"
ON_CONSOLE = re.compile(r"^(?:TTYPath=|Standard(?:Input|Output|Error)=tty)", re.MULTILINE)
LINK, CONDITION = "board-station-link", "/usr/sbin/board-unprovisioned"
CHAIN = re.compile(r"chain (\w+) \{([^}]*(?:\{[^}]*\}[^}]*)*)\}")
HOOKS = ("input", "forward", "output")


def system(folder: Path) -> Path:
    root = folder / gate_system.ROOT
    if not root.is_dir():
        raise FileNotFoundError(2, "", str(root))
    return root


def programs(folder: Path) -> list[str]:
    root = system(folder)
    places = [root / place for place in PLACES if not (root / place).is_symlink()]
    return [f"/{path.relative_to(root)} is none of a unit in the field" for place in places if place.is_dir()
            for path in sorted(place.iterdir()) if path.name not in WANTED]


def texts(root: Path) -> dict[str, str]:
    """Unit or drop-in, as a path below its folder -> text; of what is masked, nothing."""
    return {f"{path.parent.name}/{path.name}": path.read_text(errors="replace")
            for path in gate_system.units(root) if path.is_file() and not path.is_symlink()
            and not gate_system.masked(root, path.name)}


def console(folder: Path) -> list[str]:
    """Nothing of the system opens the console, or sends the journal there."""
    root = system(folder)
    found = [f"{name} opens a terminal" for name, text in texts(root).items() if ON_CONSOLE.search(text)]
    journal = [root / "usr/lib/systemd/journald.conf", root / "etc/systemd/journald.conf",
               *root.glob("usr/lib/systemd/journald.conf.d/*"), *root.glob("etc/systemd/journald.conf.d/*")]
    found += [f"{path.name} sends the journal there" for path in journal
              if path.is_file() and re.search(r"^ForwardToConsole=(?:yes|true|1|on)", path.read_text(), re.MULTILINE)]
    return found + [f"{path.name} may make units" for path in sorted((root / GENERATORS).glob("*"))]


def station(folder: Path) -> list[str]:
    """The cable of the station is served only to a unit without an identity."""
    root = system(folder)
    if not (root / "usr/sbin" / LINK).exists():
        return []
    serving = {name: text for name, text in texts(root).items() if LINK in text}
    asks = "\n".join(text for name, text in texts(root).items() if name.startswith("board-station.service.d/"))
    found = [f"{name} serves a station, too" for name in serving
             if not name.endswith("/board-station.service") and not name.startswith("board-station.service.d/")]
    started = [line for line in asks.splitlines() if line.startswith("ExecStart=/")]
    asked = f"ExecCondition={CONDITION}" in asks.splitlines() and started and all(
        line.endswith(f" {CONDITION}") for line in started)
    if not asked or not (root / CONDITION.lstrip("/")).exists():
        found.append("a unit with an identity serves a station, too")
    return found


def network(folder: Path) -> list[str]:
    """Rules that pass nothing by themselves, nothing between networks, and are there before any network is."""
    root = system(folder)
    rules = re.sub(r"#.*", "", (root / "etc/nftables.conf").read_text())
    chains = {found[1]: text for text in (match[2] for match in CHAIN.finditer(rules))
              if (found := re.search(r"hook (\w+) ", text))}
    found = [f"nothing is dropped at {hook}" for hook in HOOKS if "policy drop;" not in chains.get(hook, "")]
    if "accept" in chains.get("forward", ""):
        found.append("something passes between networks")
    found += [f"any user may use: {line.strip()}" for line in chains.get("output", "").splitlines()
              if "accept" in line and "new" in line and "meta skuid" not in line]
    wanted = "\n".join(text for name, text in texts(root).items() if name.startswith("systemd-networkd.service.d/"))
    if "Requires=board-firewall.service" not in wanted:
        found.append("a network comes up without them")
    return found


def kernel_modules(folder: Path) -> list[str]:
    init = (folder / "initramfs" / "tree" / "init").read_text()
    asked = re.search(r"^busybox sysctl -q -w kernel\.modules_disabled=1", init, re.MULTILINE)
    return [] if asked else ["the kernel goes on taking modules"]
