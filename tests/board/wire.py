"""A network of a unit in QEMU whose other end is the test: whole frames, as a hostile neighbour would send them."""
import socket
import struct
from pathlib import Path

OWN_MAC = bytes.fromhex("52550a000202")
ARP, IPV4, TCP, UDP = 0x0806, 0x0800, 6, 17
SYN, RST, ACK = 0x02, 0x04, 0x10


def checksum(data: bytes) -> int:
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    return head[:10] + struct.pack("!H", checksum(head + addresses)) + addresses + payload


def udp(source: str, target: str, port: int) -> bytes:
    return packet(source, target, UDP, struct.pack("!HHHH", 40000, port, 8 + 4, 0) + b"over")


def syn(source: str, target: str, port: int, own_port: int) -> bytes:
    head = struct.pack("!HHIIBBHHH", own_port, port, 1, 0, 5 << 4, SYN, 1024, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, TCP, len(head))
    return packet(source, target, TCP, head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:])


class Seen:
    """One packet of IPv4 that came out of the unit."""

    def __init__(self, data: bytes):
        self.protocol = data[9]
        self.source, self.target = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
        body = data[(data[0] & 15) * 4:]
        self.source_port, self.port = struct.unpack("!HH", body[:4]) if len(body) >= 4 else (0, 0)
        self.flags = body[13] if self.protocol == TCP and len(body) > 13 else 0

    @property
    def opens(self) -> bool:
        return self.protocol == TCP and self.flags & (SYN | ACK) == SYN

    @property
    def answers(self) -> bool:
        return self.protocol == TCP and bool(self.flags & (RST | ACK))


class Wire:
    """`mac` is the unit's. Answers every question for an address, so that the unit always finds somebody to send to."""

    def __init__(self, name: str, mac: str, folder: Path):
        self.name, self.mac = name, mac
        self._unit, own = folder / f"{name}.unit", folder / f"{name}.test"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(own))
        self._socket.setblocking(False)
        self.for_qemu = ["-netdev", f"dgram,id={name},local.type=unix,local.path={self._unit},remote.type=unix,"
                                    f"remote.path={own}",
                         "-device", f"virtio-net-device,netdev={name},mac={mac}"]

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, data: bytes, kind: int = IPV4) -> None:
        frame = bytes.fromhex(self.mac.replace(":", "")) + OWN_MAC + struct.pack("!H", kind) + data
        try:
            self._socket.sendto(frame, str(self._unit))
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            pass  # not there yet, or does not take more now: like any cable

    def seen(self) -> list[Seen]:
        """What came since the last time."""
        found = []
        while frame := self._next():
            kind, data = struct.unpack("!H", frame[12:14])[0], frame[14:]
            if kind == ARP and data[7] == 1:
                self.send(data[:7] + b"\2" + OWN_MAC + data[24:28] + data[8:18], ARP)
            if kind == IPV4 and len(data) >= 20:
                found.append(Seen(data))
        return found

    def _next(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self._socket.close()
