"""A TCP proxy that fails on demand: down, half-open, resetting, slow. Modes act on the connections there are, too.

    proxy.py --target 127.0.0.1:8883 --port 9000 --control /tmp/control     # one JSON object a line:
    {"set": "slow", "bytes_per_s": 100}      {"get": true}                  # either answers the counters

From Python, FaultProxy runs the same as a child process; it ends with its parent.
"""
import argparse
import asyncio
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

MODES = {  # mode -> its parameters and their defaults
    "forward": {},
    "down": {},
    "blackhole": {"direction": "both"},
    "reset": {"after_bytes": 0},
    "slow": {"bytes_per_s": 0, "latency_ms": 0},
}
UP, DOWN = "up", "down"  # client to server, server to client
QUEUE_LIMIT = 256 * 1024  # bytes of one direction that wait in the proxy; then it stops reading
COUNTED = ("connections", "bytes_up", "bytes_down", "resets", "refusals", "stalls")


class WrongOrder(ValueError):
    """A mode or a parameter that does not exist."""


def read_mode(name, parameters):
    if name not in MODES:
        raise WrongOrder(f"no mode is called {name!r}; there are {', '.join(MODES)}")
    unknown = set(parameters) - set(MODES[name])
    if unknown:
        raise WrongOrder(f"{name} does not take {', '.join(sorted(unknown))}")
    mode = {**MODES[name], **parameters}
    for key, value in mode.items():
        if key == "direction":
            if value not in (UP, DOWN, "both"):
                raise WrongOrder("direction is up, down or both")
        elif not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
            raise WrongOrder(f"{key} is a number, 0 or more")
    return mode


class Side(asyncio.Protocol):
    """One of the two sockets of a connection; what it reads goes `direction`."""

    def __init__(self, link, direction):
        self.link, self.direction = link, direction
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(high=QUEUE_LIMIT)
        self.link.made(self)

    def data_received(self, data):
        self.link.received(self, data)

    def connection_lost(self, exc):
        self.link.lost(self, exc)

    def pause_writing(self):
        self.link.congested(self, True)

    def resume_writing(self):
        self.link.congested(self, False)

    def reset(self):
        """RST instead of FIN."""
        if self.transport is not None:
            linger = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.transport.abort()


class Link:
    """One client's connection and the one that the proxy makes for it."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.sides = {UP: Side(self, UP), DOWN: Side(self, DOWN)}  # UP reads from the client
        self.early = []        # from the client, before the server's side exists
        self.left = None       # bytes until the reset
        self.stalled = False
        self.held = {UP: 0, DOWN: 0}     # bytes on their slow way
        self.free_at = {UP: 0.0, DOWN: 0.0}
        self.full = set()      # directions whose receiver does not read
        self.connecting = None
        self.ended = False

    def made(self, side):
        if side.direction == UP:
            self.proxy.adopt(self)
            return
        for data in self.early:
            self.deliver(UP, data)
        self.early.clear()
        self.steer()

    def open_server(self):
        if self.connecting is None:
            self.connecting = asyncio.ensure_future(self._open_server())

    async def _open_server(self):
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.sides[DOWN], *self.proxy.target)
        except OSError:
            self.proxy.count("refusals")
            self.reset()
            return
        if self.ended:
            self.sides[DOWN].transport.abort()

    def received(self, side, data):
        direction = side.direction
        if self.left is not None:
            if len(data) >= self.left:
                self.deliver(direction, data[:int(self.left)])
                self.reset(counted=True)
                return
            self.left -= len(data)
        if direction == UP and self.sides[DOWN].transport is None:
            self.early.append(data)
        else:
            self.deliver(direction, data)

    def deliver(self, direction, data):
        if not data:
            return
        self.proxy.count("bytes_" + direction, len(data))
        mode = self.proxy.mode
        if self.proxy.name == "slow" or self.held[direction]:
            self._deliver_slowly(direction, data, mode.get("bytes_per_s", 0), mode.get("latency_ms", 0) / 1000)
        else:
            self._write(direction, data)

    def _write(self, direction, data):
        receiver = self.sides[DOWN if direction == UP else UP].transport
        if receiver is not None:
            receiver.write(data)

    def _deliver_slowly(self, direction, data, rate, latency):
        loop = asyncio.get_running_loop()
        step = max(1, int(rate / 20)) if rate else len(data)
        for start in range(0, len(data), step):
            piece = data[start:start + step]
            at = max(loop.time() + latency, self.free_at[direction])
            self.free_at[direction] = at + (len(piece) / rate if rate else 0)
            self.held[direction] += len(piece)
            loop.call_at(at, self._arrive, direction, piece)
        self.steer()

    def _arrive(self, direction, piece):
        self.held[direction] -= len(piece)
        if not self.ended:
            self._write(direction, piece)
            self.steer()

    def congested(self, side, full):
        reader = DOWN if side.direction == UP else UP
        (self.full.add if full else self.full.discard)(reader)
        self.steer()

    def steer(self):
        """Reads from the sides that may be read from now, and only from those."""
        stalls = self.proxy.stalls()
        if stalls and not self.stalled:
            self.proxy.count("stalls")
        self.stalled = bool(stalls)
        for direction, side in self.sides.items():
            if side.transport is None or side.transport.is_closing():
                continue
            blocked = (direction in stalls or direction in self.full or self.held[direction] > QUEUE_LIMIT)
            if blocked and side.transport.is_reading():
                side.transport.pause_reading()
            elif not blocked and not side.transport.is_reading():
                side.transport.resume_reading()

    def enter_mode(self):
        """The proxy's mode has changed, or this connection is new."""
        name, mode = self.proxy.name, self.proxy.mode
        self.left = mode["after_bytes"] if name == "reset" else None
        if name == "down" or (name == "reset" and not self.left):
            self.reset(counted=True)
            return
        self.steer()
        if self.proxy.stalls() != {UP, DOWN}:
            self.open_server()

    def reset(self, counted=False):
        if self.ended:
            return
        if counted:
            self.proxy.count("resets")
        self._end()
        for side in self.sides.values():
            side.reset()

    def lost(self, side, exc):
        if self.ended:
            return
        other = self.sides[DOWN if side.direction == UP else UP]
        self._end()
        if exc is not None:
            other.reset()
        elif other.transport is not None:
            other.transport.close()  # sends what is queued first

    def _end(self):
        self.ended = True
        self.proxy.links.discard(self)


class Proxy:
    """The proxy in an event loop: `await start()`, then set() and counters()."""

    def __init__(self, target, port=0):
        self.target, self.port = target, port
        self.name, self.mode = "forward", {}
        self.links = set()
        self._listener = None
        self._tally = {name: dict.fromkeys(COUNTED, 0) for name in MODES}

    async def start(self):
        await self._listen()
        return self

    async def _listen(self):
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Link(self).sides[UP], "127.0.0.1", self.port,
                                                  reuse_address=True, backlog=1024)
        self.port = self._listener.sockets[0].getsockname()[1]

    def stalls(self):
        if self.name != "blackhole":
            return frozenset()
        direction = self.mode["direction"]
        return frozenset((UP, DOWN) if direction == "both" else (direction,))

    def count(self, what, number=1):
        self._tally[self.name][what] += number

    def adopt(self, link):
        self.count("connections")
        self.links.add(link)
        link.enter_mode()

    async def set(self, name, **parameters):
        self.mode = read_mode(name, parameters)
        self.name = name
        if name == "down" and self._listener is not None:
            self._listener.close()
            self._listener = None
        for link in list(self.links):
            link.enter_mode()
        if name != "down" and self._listener is None:
            await self._listen()

    def counters(self):
        return {"mode": self.name, "parameters": self.mode, "port": self.port, "open": len(self.links),
                "modes": {name: dict(tally) for name, tally in self._tally.items()}}


async def serve_control(proxy, path):
    async def talk(reader, writer):
        while line := await reader.readline():
            writer.write(json.dumps(await obey(proxy, line)).encode() + b"\n")
            await writer.drain()
        writer.close()
    return await asyncio.start_unix_server(talk, path)


async def obey(proxy, line):
    try:
        order = json.loads(line)
        if "set" in order:
            await proxy.set(order.pop("set"), **order)
        elif order != {"get": True}:
            raise WrongOrder('an order is {"set": MODE, …} or {"get": true}')
        return proxy.counters()
    except (ValueError, TypeError, AttributeError, OSError) as error:
        return {"error": str(error)}


async def run(options):
    host, _, port = options.target.rpartition(":")
    proxy = await Proxy((host, int(port)), options.port).start()
    await serve_control(proxy, options.control)
    print(json.dumps(proxy.counters()), flush=True)
    # The parent's end of the pipe closes when it ends, however it ends.
    if options.with_parent:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
        shutil.rmtree(os.path.dirname(options.control), ignore_errors=True)  # made for this process
        os._exit(0)
    await asyncio.Event().wait()


class FaultProxy:
    """The proxy as a child process: `with FaultProxy(("127.0.0.1", hub_port)) as link: link.set("reset")`."""

    def __init__(self, target, port=0):
        self._directory = tempfile.mkdtemp(prefix="mitral-proxy-")
        self._control = None
        control = pathlib.Path(self._directory) / "control"
        self._child = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--target", f"{target[0]}:{target[1]}", "--port", str(port),
             "--control", str(control), "--with-parent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        first = self._child.stdout.readline()
        if not first:
            self.close()
            raise OSError(f"the fault proxy for {target} did not start")
        self.port = json.loads(first)["port"]
        self._control = socket.socket(socket.AF_UNIX)
        self._control.settimeout(30)
        self._control.connect(str(control))
        self._answers = self._control.makefile("rb")

    def _order(self, order):
        self._control.sendall(json.dumps(order).encode() + b"\n")
        answer = json.loads(self._answers.readline())
        if "error" in answer:
            raise WrongOrder(answer["error"])
        return answer

    def set(self, mode, **parameters):
        """When this returns, the mode holds for all connections, old and new."""
        return self._order({"set": mode, **parameters})

    def counters(self):
        return self._order({"get": True})

    def tally(self, mode, what):
        return self.counters()["modes"][mode][what]

    def close(self):
        if self._control is not None:
            self._answers.close()
            self._control.close()
        self._child.stdin.close()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    parser = argparse.ArgumentParser(description="TCP proxy that fails on demand")
    parser.add_argument("--target", required=True, help="HOST:PORT to forward to")
    parser.add_argument("--port", type=int, default=0, help="where clients connect, on 127.0.0.1; 0: any free port")
    parser.add_argument("--control", required=True, help="path of the Unix socket that takes orders")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
