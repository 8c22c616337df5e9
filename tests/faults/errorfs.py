"""Mounts the error file system, gives it rules, and takes it away for certain.

    with ErrorFs(program, backing, mount_point) as disk:
        disk.add("full", op="write", glob="*.seg", errno="ENOSPC", nth=3, count=1)
        …
        assert disk.fired("full") == 1
"""
import errno
import os
import pathlib
import signal
import socket
import subprocess
import time

WRITING = ("create", "write", "fallocate", "mkdir")
CHANGING = (*WRITING, "rename", "unlink", "truncate", "link", "rmdir")


class WrongRule(ValueError):
    """The file system refused an order; the text says why."""


class ErrorFs:
    """Needs root. `program` is the built tests/faults/errorfs; `mount_point` is made when missing."""

    def __init__(self, program, backing, mount_point):
        self.program, self.backing, self.mount_point = map(pathlib.Path, (program, backing, mount_point))
        self._control = self.mount_point.with_name(f".{self.mount_point.name}.orders")
        self._child = None

    def mount(self, timeout=20):
        self.mount_point.mkdir(exist_ok=True)
        self._control.unlink(missing_ok=True)  # of one that was killed
        self._child = subprocess.Popen(
            [str(self.program), str(self.backing), str(self.mount_point), str(self._control), "--with-parent"],
            stdin=subprocess.PIPE)  # its end tells the file system that the test is gone
        deadline = time.monotonic() + timeout
        while not (self._control.exists() and os.path.ismount(self.mount_point)):
            if self._child.poll() is not None or time.monotonic() > deadline:
                status = self._child.poll()
                self.unmount()
                raise OSError(f"errorfs did not mount {self.mount_point} (status {status}); is /dev/fuse there?")
            time.sleep(0.01)
        return self

    def unmount(self):
        """Also when files are still open, and when the file system has died."""
        # Lazily: a process that still has a file open must not keep the mount point.
        subprocess.run(["umount", "--lazy", str(self.mount_point)], stderr=subprocess.DEVNULL, check=False)
        if self._child is not None:
            self._child.stdin.close()
            try:
                self._child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None
        self._control.unlink(missing_ok=True)

    def kill(self):
        """As a driver that crashes: every later operation says ENOTCONN."""
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()

    def __enter__(self):
        return self.mount()

    def __exit__(self, *_):
        self.unmount()

    def _order(self, *words):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(30)
            link.connect(str(self._control))
            link.sendall(" ".join(words).encode() + b"\n")
            lines = link.makefile().read().splitlines()
        if not lines or lines[-1] != "ok":
            raise WrongRule(lines[-1] if lines else "no answer")
        return lines[:-1]

    def add(self, name, op, glob="*", **effects):
        """Effects: errno="EIO", short=N, torn=N, delay_ms=N; from the `nth` match on, `count` times (0: no end)."""
        if "errno" in effects:
            effects["errno"] = getattr(errno, effects["errno"])
        self._order("add", name, op, glob, *(f"{key}={value}" for key, value in effects.items()))

    def add_full(self, name="full", glob="*", **when):
        """A disk without room; fired() and clear() take `name` as for one rule."""
        for op in WRITING:
            self.add(f"{name}.{op}", op, glob, errno="ENOSPC", **when)

    def add_read_only(self, name="read-only", glob="*", **when):
        for op in CHANGING:
            self.add(f"{name}.{op}", op, glob, errno="EROFS", **when)

    def rules(self):
        """{name: (operations that matched, of these struck)}"""
        rows = (line.split() for line in self._order("list"))
        return {name: (int(seen), int(fired)) for name, seen, fired in rows}

    def fired(self, name):
        """How often this rule has struck, or those that add_full and add_read_only made of this name."""
        struck = [fired for rule, (_, fired) in self.rules().items() if rule == name or rule.startswith(name + ".")]
        if not struck:
            raise KeyError(name)
        return sum(struck)

    def clear(self, name=None):
        """One rule, or all of them. A torn disk works again either way."""
        if name is None:
            self._order("clear")
            return
        for rule in self.rules():
            if rule == name or rule.startswith(name + "."):
                self._order("clear", rule)
