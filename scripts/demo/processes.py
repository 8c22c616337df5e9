"""Child processes with a log each, a supervisor that restarts what should run, and an orderly end."""
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time


class StartFailed(Exception):
    """A part of the stack did not come up; the message names cause and log."""


class Process:
    """One program of the stack. Its output goes to a log of its own."""

    def __init__(self, name, argv, log_directory, reaper, keep=False, environment=None):
        self.name, self.argv, self.keep = name, [str(part) for part in argv], keep
        self.log = pathlib.Path(log_directory) / f"{name}.log"
        self.restarts = 0
        self._environment = {**os.environ, **(environment or {})}
        self._reaper = reaper
        self._child = None

    def start(self):
        self._forget()
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=self._environment,
                start_new_session=True)  # Ctrl-C is the conductor's, not theirs
        self._reaper.watch(self._child.pid)
        return self

    def _forget(self):
        if self._child is not None:
            self._reaper.forget(self._child.pid)

    @property
    def pid(self):
        return self._child.pid

    @property
    def running(self):
        return self._child is not None and self._child.poll() is None

    @property
    def status(self):
        return None if self._child is None else self._child.poll()

    def signal(self, number):
        if self.running:
            self._child.send_signal(number)

    def kill(self):
        """kill -9, as a power cut would: no handler runs."""
        self.signal(signal.SIGKILL)
        self._child.wait()

    def terminate(self):
        """SIGTERM; does not wait."""
        self.keep = False
        self.signal(signal.SIGTERM)

    def stop(self, timeout=10.0):
        """SIGTERM, then SIGKILL. True when it ended by itself in time."""
        self.keep = False
        in_time = True
        if self.running:
            self._child.terminate()
            try:
                self._child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                in_time = False
        self._forget()
        return in_time

    def tail(self, lines=5):
        try:
            return self.log.read_text(errors="replace").strip().splitlines()[-lines:]
        except OSError:
            return []

    def why(self):
        """For an error message: how it ended and its last words."""
        last = " | ".join(self.tail(3)) or "it said nothing"
        return f"{self.name} ended with status {self.status}: {last} (log: {self.log})"

    def wait_until(self, ready, what, timeout=20.0):
        """Polls `ready` until it holds; fails at once when the process has ended."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running:
                raise StartFailed(self.why())
            if time.monotonic() > deadline:
                last = " | ".join(self.tail(3))
                raise StartFailed(f"{self.name}: {what} did not happen within {timeout:.0f} s: {last} "
                                  f"(log: {self.log})")
            time.sleep(0.03)


class Supervisor:
    """Restarts a kept process that died, as systemd would (Restart=always)."""

    CHECK_S = 0.1
    PAUSE_S = 0.3

    def __init__(self):
        self._processes = []
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def add(self, process):
        with self._lock:
            self._processes.append(process)
        return process

    def _watch(self):
        while not self._ending.wait(self.CHECK_S):
            with self._lock:
                fallen = [process for process in self._processes if process.keep and not process.running]
            for process in fallen:
                if self._ending.wait(self.PAUSE_S) or not process.keep:
                    continue
                process.restarts += 1
                process.start()

    def end(self):
        self._ending.set()
        self._thread.join(timeout=2)


def run(argv, log_directory, name, timeout=60, secret=False):
    """A step that ends by itself; its output (kept out of the log if secret), or StartFailed with the reason."""
    log = pathlib.Path(log_directory) / f"{name}.log"
    try:
        done = subprocess.run([str(part) for part in argv], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout, cwd="/", check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartFailed(f"{name}: {error}") from error
    with log.open("a", encoding="utf-8") as file:
        file.write(done.stderr if secret else done.stdout + done.stderr)
    if done.returncode != 0:
        last = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise StartFailed(f"{name} ended with status {done.returncode}: {last} (log: {log})")
    return done.stdout


def free_ports(count):
    """Distinct free ports of 127.0.0.1."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def free_port_pair():
    """Two neighbouring free ports (a TPM simulator's command and control channel)."""
    for _ in range(200):
        first = free_ports(1)[0]
        with socket.socket() as second:
            try:
                second.bind(("127.0.0.1", first + 1))
                return first
            except (OSError, OverflowError):
                continue
    raise StartFailed("no two neighbouring free ports on 127.0.0.1")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def answers(path, kind=socket.SOCK_STREAM):
    """True when somebody listens on this Unix socket; the file alone may be a moment older."""
    with socket.socket(socket.AF_UNIX, kind) as probe:
        try:
            probe.connect(str(path))
            return True
        except OSError:
            return False


def is_root():
    return os.geteuid() == 0
