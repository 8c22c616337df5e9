"""A kernel that hangs: both processors of a unit in QEMU are left in a loop of one instruction, interrupts masked.

Over QEMU's stub for debuggers (GDB's remote serial protocol), as nothing on the unit can do it.
"""
import contextlib
import socket
from pathlib import Path

PC, CPSR = 0x20, 0x21  # numbers of AArch64's core registers in QEMU's description of them
MASKED = 0x3c0         # debug, SError, IRQ, FIQ
LOOP = bytes.fromhex("00000014")  # b .
DEADLINE_S = 120


def arguments(path: Path) -> list[str]:
    """For QEMU: where the stub listens."""
    return ["-chardev", f"socket,path={path},server=on,wait=off,id=debugger", "-gdb", "chardev:debugger"]


class _Stub:
    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._got = b""

    def ask(self, what: str) -> str:
        """The answer to one packet."""
        self._send(what)
        while (answer := self._answer()).startswith("T"):  # the machine stopped, as it was told to
            continue
        return answer

    def _send(self, what: str) -> None:
        self._connection.sendall(f"${what}#{sum(what.encode()) % 256:02x}".encode())

    def _answer(self) -> str:
        while (end := self._got.find(b"#")) < 0 or len(self._got) < end + 3:
            more = self._connection.recv(4096)
            if not more:
                raise OSError("QEMU's stub went away")
            self._got += more
        answer = self._got[self._got.index(b"$") + 1:end].decode(errors="replace")
        self._got = self._got[end + 3:]
        self._connection.sendall(b"+")
        return answer

    def register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def expect_ok(self, what: str) -> None:
        if (answer := self.ask(what)) != "OK":
            raise OSError(f"QEMU's stub refused {what}: {answer}")


def stand_still(path: Path, processors: int = 2) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(DEADLINE_S)
        connection.connect(str(path))  # stops the machine
        stub = _Stub(connection)
        stub.ask("qXfer:features:read:target.xml:0,ffff")  # without it registers have no numbers
        for processor in range(1, processors + 1):
            stub.expect_ok(f"Hg{processor}")
            stub.expect_ok(f"M{stub.register(PC):x},{len(LOOP):x}:{LOOP.hex()}")
            masked = stub.register(CPSR) | MASKED
            stub.expect_ok(f"P{CPSR:x}={masked.to_bytes(4, 'little').hex()}")
        stub.expect_ok("D")
