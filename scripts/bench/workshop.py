"""What all figures share: a scratch directory on the disk that is measured, the hub, the built programs."""
import pathlib
import shutil
import tempfile

import broker
import layout
import processes
import reaper


class Workshop:
    """Use as a context: what was started is stopped, what was written is removed."""

    def __init__(self, build, source, out, say):
        self.programs, self.clients, self.stand_ins = build / "bin", build / "bench/clients", build / "bench/plain"
        self.data = source / "tests/data"
        self.say = say
        if not processes.is_root():
            raise processes.StartFailed("needs root, for the daemons' users and sandboxes: run it with sudo")
        if None in (broker.PROGRAM, broker.PUBLISHER, broker.SUBSCRIBER):
            raise processes.StartFailed("mosquitto or its clients are missing: run scripts/deps.sh test")
        layout.ensure_users(source / "src/base/mitral.sysusers", say)
        out.mkdir(parents=True, exist_ok=True)
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=out))
        self.scratch.chmod(0o755)
        self.reaper = reaper.Reaper()
        self.hub = broker.Hub(self.scratch, self.reaper)

    def __enter__(self):
        self.hub.start()
        return self

    def __exit__(self, *_):
        self.hub.stop()
        self.reaper.end()
        shutil.rmtree(self.scratch, ignore_errors=True)
