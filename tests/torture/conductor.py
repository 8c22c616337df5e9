"""The other end of the fail-points (src/base/fail_point.hpp): arms them, holds processes there, gives the verdicts."""
import errno
import mmap
import os
import pathlib
import queue
import selectors
import socket
import struct
import threading
import time

from fault import SEEN_S


class NotFired(Exception):
    """A point was not reached, or a fault did not take hold."""


class Joined:
    """One connected process of the torture build."""

    def __init__(self, link):
        self.link = link
        self.program = ""
        self.pid = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def say(self, text):
        try:
            self.link.send(text.encode())
        except OSError:
            pass  # it is gone: its end is an event of its own


class Clock:
    """The wall clock of all processes that joined, as an offset in a page they share."""

    def __init__(self, path):
        path.write_bytes(bytes(mmap.PAGESIZE))
        path.chmod(0o644)
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def shift(self, seconds):
        self._page[:8] = struct.pack("q", int(seconds * 1e9))

    def real(self):
        self.shift(0)


class Conductor(threading.Thread):
    """Events: ("at", process, point), ("refused", process, errno), ("cut", process, bytes), ("time", process, s),
    ("left", process, None). One pair at a time; what was armed and not reached is disarmed by `calm()`."""

    def __init__(self, path):
        super().__init__(name="conductor", daemon=True)
        self.path = pathlib.Path(path)
        self.clock = Clock(self.path.with_name(self.path.name + ".clock"))
        self.events = queue.Queue()
        self._arms = []        # (program, point, nth), for processes that join later
        self._joined = {}      # socket -> Joined
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        os.chmod(self.path, 0o666)
        self._listener.listen(16)
        self._selector.register(self._listener, selectors.EVENT_READ)

    # -- for the driver of pairs -----------------------------------------------------------------
    def arm(self, program, point, nth=1, restarted_only=False):
        with self._lock:
            self._arms.append((program, point, nth))
            for process in self._joined.values():
                if process.program == program and not restarted_only:
                    process.say(f"arm {point} {nth}")

    def calm(self):
        """Forgets everything armed; whoever still stands goes on."""
        with self._lock:
            self._arms.clear()
            for process in self._joined.values():
                process.say("disarm")
        while True:
            try:
                kind, process, _ = self.events.get_nowait()
            except queue.Empty:
                return
            if kind == "at":
                process.say("go")

    def await_event(self, kind, timeout, accepts=lambda process, detail: True):
        """(process, detail) of the next such event; others are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                found, process, detail = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise NotFired(f"no event {kind!r} within {timeout} s") from None
            if found == kind and accepts(process, detail):
                return process, detail
            if found == "at":
                process.say("go")

    def await_point(self, program, point, timeout):
        try:
            return self.await_event("at", timeout,
                                    lambda process, name: name == point and process.program == program)[0]
        except NotFired:
            raise NotFired(f"{program} did not reach {point} within {timeout:g} s") from None

    def await_errno(self, process, number, timeout=SEEN_S):
        self.await_event("refused", timeout, lambda who, got: who is process and int(got) == number)
        return f"{errno.errorcode[number]} returned"

    def await_end(self, process, timeout=SEEN_S):
        self.await_event("left", timeout, lambda who, _: who is process)
        return f"pid {process.pid} ended"

    # -- the thread ------------------------------------------------------------------------------
    def run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._receive(key.fileobj)

    def _accept(self):
        link, _ = self._listener.accept()
        with self._lock:
            self._joined[link] = Joined(link)
        self._selector.register(link, selectors.EVENT_READ)

    def _receive(self, link):
        process = self._joined[link]
        try:
            data = link.recv(512)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(link)
            with self._lock:
                del self._joined[link]
            link.close()
            self.events.put(("left", process, None))
            return
        word, _, rest = data.decode().partition(" ")
        if word == "join":
            self._admit(process, rest)
            return
        if word == "at":
            with self._lock:
                self._arms = [arm for arm in self._arms if arm[:2] != (process.program, rest)]
        self.events.put((word, process, rest))

    def _admit(self, process, program):
        with self._lock:
            process.program = program
            for wanted, point, nth in self._arms:
                if wanted == program:
                    process.say(f"arm {point} {nth}")
        process.say("go")
