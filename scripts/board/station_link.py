"""The station's end of the cable: a socket like the vault's own, whose requests go to the vault of a unit.

The unit's end is board/common/station_link.c, which says what a frame is.
"""
import contextlib
import os
import select
import socket
import threading
from pathlib import Path

MAX_DATAGRAM = 4096  # bytes, either way
ANSWER_S = 120.0     # the trust zone is slow under emulation


class StationLink:
    """Listens at `vault_socket` as long as it is open; `port` is QEMU's socket for the cable."""

    def __init__(self, port: Path, vault_socket: Path):
        self._port, self._path = port, vault_socket
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(vault_socket))
        vault_socket.chmod(0o600)
        self._listener.listen(1)
        self._ending, self._end = os.pipe()
        self.carried = 0  # requests on their way to the unit, or beyond
        self._thread = threading.Thread(target=self._serve, name="station-link", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        """One client after the other: the cable carries one conversation."""
        while self._ready(self._listener, None):
            client, _ = self._listener.accept()
            with client, contextlib.suppress(OSError):
                self._carry(client)

    def _ready(self, waited: socket.socket, seconds: float | None) -> bool:
        return waited in select.select([waited, self._ending], [], [], seconds)[0]

    def _carry(self, client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as cable:
            cable.connect(str(self._port))
            cable.sendall(bytes(2))  # a new conversation
            while self._ready(client, None) and (request := client.recv(MAX_DATAGRAM)):
                cable.sendall(len(request).to_bytes(2, "big") + request)
                self.carried += 1
                size = int.from_bytes(self._take(cable, 2), "big")
                if not 0 < size <= MAX_DATAGRAM:
                    return
                client.send(self._take(cable, size))

    def _take(self, cable: socket.socket, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            if not self._ready(cable, ANSWER_S) or not (more := cable.recv(size - len(taken))):
                raise OSError("the unit does not answer")
            taken += more
        return taken

    def close(self) -> None:
        os.close(self._end)
        self._thread.join()
        os.close(self._ending)
        self._listener.close()
        self._path.unlink(missing_ok=True)
