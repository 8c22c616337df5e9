"""What the kernel tells about a running process."""
import os
import pathlib
import re


def status(pid):
    """/proc/PID/status as a dictionary of texts."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def network_namespace(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def interfaces(pid):
    lines = pathlib.Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines}


def sockets_in_namespace(pid):
    """Internet sockets of the process's network namespace, whoever owns them."""
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "icmp", "icmp6"):
        path = pathlib.Path(f"/proc/{pid}/net/{table}")
        if path.exists():
            found += [f"{table} {line.split()[1]}" for line in path.read_text().splitlines()[1:]]
    return found


def internet_peers(pid):
    """(protocol, peer port) of each internet socket the process itself holds open, from any namespace
    this test can see."""
    inodes = set()
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            match = re.match(r"socket:\[(\d+)\]", os.readlink(descriptor))
        except OSError:
            continue
        if match:
            inodes.add(match[1])
    peers = []
    for viewer in (pid, "self"):
        for table in ("tcp", "tcp6", "udp", "udp6"):
            for line in pathlib.Path(f"/proc/{viewer}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[9] in inodes:
                    peers.append((table, int(fields[2].rpartition(":")[2], 16)))
    return sorted(set(peers))


class Memory:
    """A process's readable memory. A page that cannot be read costs that page, not its region, and is counted."""

    CHUNK, PAGE = 1 << 20, os.sysconf("SC_PAGE_SIZE")
    FEW = 64 * PAGE  # what a living process may give back between its map and the reading
    LARGEST = 1 << 36  # a region beyond that is a sanitizer's, and endless

    def __init__(self, pid):
        self.read = self.skipped = 0  # bytes
        self._pid = pid

    def pieces(self):
        """Each region as runs of what could be read; nothing is cut in two at a chunk's end."""
        with open(f"/proc/{self._pid}/maps", encoding="utf-8") as maps, \
                open(f"/proc/{self._pid}/mem", "rb", 0) as memory_file:
            for line in maps.read().splitlines():
                span, rights, *_rest = line.split()
                if rights.startswith("r") and "[v" not in line:  # [vvar], [vsyscall]: the kernel's own
                    first, last = (int(part, 16) for part in span.split("-"))
                    if last - first > self.LARGEST:
                        raise ValueError(f"region {span} is too large to search: built with a sanitizer?")
                    yield from self._runs(memory_file, first, last)

    def _runs(self, memory_file, first, last):
        run = bytearray()
        for begin in range(first, last, self.CHUNK):
            end = min(begin + self.CHUNK, last)
            data = self._at(memory_file, begin, end)
            if data is not None:
                run += data
                continue
            for page in range(begin, end, self.PAGE):
                data = self._at(memory_file, page, page + self.PAGE)
                if data is not None:
                    run += data
                    continue
                self.skipped += self.PAGE
                if run:
                    yield bytes(run)
                run.clear()
        if run:
            yield bytes(run)

    def _at(self, memory_file, begin, end):
        """None when not all of it can be read."""
        try:
            memory_file.seek(begin)
            data = memory_file.read(end - begin)
        except (OSError, ValueError, OverflowError):
            return None
        if len(data) != end - begin:
            return None
        self.read += len(data)
        return data


def cage_faults(pid):
    """What is missing from the sandbox that every daemon must live in; [] when all is there."""
    told = status(pid)
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    faults = []
    if told["NoNewPrivs"] != "1":
        faults.append("may gain privileges")
    if told["Seccomp"] != "2":
        faults.append("has no seccomp filter")
    if "0" in told["Uid"].split() or "0" in told["Gid"].split():
        faults.append("runs as root")
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        if int(told[capabilities], 16):
            faults.append(f"holds capabilities ({capabilities})")
    if not re.search(r"Max core file size\s+0\s+0\s", limits):
        faults.append("may dump core")
    if os.stat(f"/proc/{pid}/environ").st_uid != 0:
        faults.append("is dumpable: its own user may trace it")
    return faults


def descendants(pid):
    """Process ids of all living children, and theirs."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def runs(pid):
    """False when it is gone or only waits to be collected."""
    try:
        return status(pid)["State"][0] not in "ZX"
    except OSError:
        return False
