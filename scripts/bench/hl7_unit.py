"""The gateway with HL7 monitors: vault, mitral-intake-hl7 and, if asked for, the uplink, as installed, elsewhere."""
import collections
import grp
import json
import os
import pwd
import subprocess
import time

import processes
import unit

DAEMON = USER = "mitral-intake-hl7"
FIRST_ADDRESS = (127, 1, 0, 1)


def address(number):
    """Of the monitor with this number, from 0: each has its own."""
    value = int.from_bytes(bytes(FIRST_ADDRESS), "big") + number
    return ".".join(map(str, value.to_bytes(4, "big")))


class Hl7Place(unit.Place):
    def __init__(self, root, hub, settings, trusted, monitors, more):
        super().__init__(root, hub, settings, trusted)
        self.port = processes.free_ports(1)[0]
        self.hl7_spool = self.state / "spool/hl7"
        self.hl7_status = self.run / "intake-hl7/intake-hl7.json"
        self._monitors, self._more = monitors, more

    def create(self):
        super().create()
        for path, group, mode in ((self.hl7_spool, "mitral-uplink", 0o2750), (self.hl7_status.parent, "root", 0o755)):
            path.mkdir(parents=True, exist_ok=True)
            os.chown(path, pwd.getpwnam(USER).pw_uid, grp.getgrnam(group).gr_gid)
            path.chmod(mode)
        (self.state / "uplink").chmod(0o755)  # as its unit makes it

    def tables(self):
        tables = super().tables()
        lines = tables.pop("intake-lines")
        tables["intake-hl7"] = {
            **{key: lines[key] for key in ("vault", "reader_group", "acknowledgements", "max_bytes_mb", "segment_mb")},
            "user": USER, "spool": self.hl7_spool, "status": self.hl7_status, **self._more}
        tables["uplink"]["spools"] = [self.hl7_spool]
        return tables

    def config_text(self):
        monitors = "".join(f'[[intake-hl7.monitor]]\nsource = "bed-{number + 1}"\naddress = "{address(number)}"\n'
                           for number in range(self._monitors))
        # In the order of the tables' names: what belongs to [intake-hl7] follows it in any case.
        return super().config_text() + f'[[intake-hl7.listen]]\naddress = "127.0.0.1:{self.port}"\n{monitors}'


class Hl7Unit(unit.Unit):
    REST_S = 2.5  # the uplink writes its status each second

    def __init__(self, bench, name, monitors, settings=unit.Settings(batched=True, window=100), **more):
        super().__init__(bench, name, settings)
        self.place = Hl7Place(bench.scratch / name, bench.hub, settings, bench.hub.certificate, monitors, more)

    def start(self, uplink=False):
        self.start_vault()
        self.launch(DAEMON, self._listens)
        if uplink:
            self.start_uplink()
        return self

    def _listens(self):
        return "intake-ready" in self.part(DAEMON).log.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self):
        return self.part(DAEMON).pid

    def status(self):
        return json.loads(self.place.hl7_status.read_text(encoding="utf-8"))

    def wait_rest(self, timeout=60):
        """Until the hub has acknowledged all that can be sent; the intake has ended."""
        deadline, moved = time.monotonic() + timeout, time.monotonic()
        published = self.published()
        while time.monotonic() - moved < self.REST_S:
            status = self.uplink_status()
            if self.published() != published or status["queued"] or status["in_flight"]:
                published, moved = self.published(), time.monotonic()
            if time.monotonic() > deadline:
                raise processes.StartFailed(f"the uplink does not come to rest: {status}")
            time.sleep(0.1)

    def client(self, command, messages, **options):
        return client(self._bench, self.place.port, command, messages, **options)

    def spooled(self, lane):
        """(source, control id) -> [observations, samples] of all that is on disk; the intake has ended."""
        done = subprocess.run(
            ["setpriv", "--reuid", "mitral-uplink", "--regid", "mitral-uplink", "--clear-groups",
             self._bench.clients / "bench_spool_contents", self.place.hl7_spool, self.place.vault_socket, lane],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise processes.StartFailed(f"bench_spool_contents: {done.stderr.strip()}")
        found = collections.Counter(), collections.Counter(), collections.Counter()
        for line in done.stdout.splitlines():
            source, control_id, observations, samples = line.split()
            for counter, count in zip(found, (1, int(observations), int(samples))):
                counter[source, control_id] += count
        return found


def client(bench, port, command, messages, **options):
    """A sender, started; `answer` waits for its end."""
    file = bench.scratch / f"messages-{port}-{command}-{options.get('address', 'all')}"
    file.write_text("\n".join(messages), encoding="utf-8")
    arguments = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    return subprocess.Popen([bench.clients / "bench_hl7", command, "--port", str(port), "--messages", file, *arguments],
                            stdout=subprocess.PIPE, text=True)


def answer(sender):
    text, _ = sender.communicate(timeout=900)
    if sender.returncode != 0:
        raise processes.StartFailed(f"bench_hl7 ended with {sender.returncode}")
    seen = json.loads(text)
    if seen.get("refused"):
        raise processes.StartFailed(f"{seen['refused']} messages were refused")
    return seen
