"""Each mode of the fault proxy, seen from a client and a server on either side of it; `forward` is the control."""
import socket
import socketserver
import threading
import time
import unittest

from faults.proxy import FaultProxy, WrongOrder
from support.proves import main


class Echo(socketserver.ThreadingTCPServer):
    """Sends back what it gets; remembers how its connections ended."""
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), None)
        self.endings = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def finish_request(self, request, client_address):
        try:
            while data := request.recv(65536):
                request.sendall(data)
            self.endings.append("closed")
        except ConnectionResetError:
            self.endings.append("reset")
        except OSError as error:
            self.endings.append(str(error))


class Modes(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.server_close)
        self.addCleanup(self.echo.shutdown)
        self.proxy = FaultProxy(self.echo.server_address)
        self.addCleanup(self.proxy.close)

    def client(self, timeout=10):
        link = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=timeout)
        self.addCleanup(link.close)
        return link

    def echoes(self, link, data=b"hello"):
        link.sendall(data)
        got = b""
        while len(got) < len(data):
            piece = link.recv(65536)
            if not piece:
                return False
            got += piece
        return got == data

    def assert_silent(self, link):
        link.settimeout(0.4)
        with self.assertRaises(socket.timeout):
            link.recv(1)
        link.settimeout(10)

    def wait(self, holds):
        deadline = time.monotonic() + 10
        while not holds():
            self.assertLess(time.monotonic(), deadline)

    def test_forward_is_no_fault_and_counts(self):
        link = self.client()
        self.assertTrue(self.echoes(link, b"x" * 1_000_000))
        link.close()
        self.wait(lambda: self.proxy.counters()["open"] == 0)
        self.wait(lambda: self.echo.endings == ["closed"])
        self.assertEqual(self.proxy.counters()["modes"]["forward"],
                         {"connections": 1, "bytes_up": 1_000_000, "bytes_down": 1_000_000, "resets": 0,
                          "refusals": 0, "stalls": 0})

    def test_down_refuses_new_and_resets_old(self):
        link = self.client()
        self.assertTrue(self.echoes(link))
        self.proxy.set("down")
        with self.assertRaises(ConnectionResetError):
            link.recv(1)
        with self.assertRaises(ConnectionRefusedError):
            self.client()
        self.assertEqual(self.proxy.tally("down", "resets"), 1)
        self.proxy.set("forward")
        self.assertTrue(self.echoes(self.client()))

    def test_blackhole_holds_old_and_new_open_and_lets_them_go_on(self):
        old = self.client()
        self.assertTrue(self.echoes(old))
        self.proxy.set("blackhole")
        new = self.client()
        for link in (old, new):
            link.sendall(b"late")
            self.assert_silent(link)
        self.assertEqual(self.proxy.tally("blackhole", "stalls"), 2)
        self.assertEqual(self.proxy.tally("blackhole", "bytes_up"), 0)
        self.proxy.set("forward")
        for link in (old, new):
            self.assertEqual(link.recv(10), b"late")

    def test_blackhole_of_one_direction(self):
        for direction, up, down in (("down", 3, 0), ("up", 0, 0)):
            link = self.client()
            self.assertTrue(self.echoes(link))
            self.proxy.set("blackhole", direction=direction)
            before = self.proxy.counters()["modes"]["blackhole"]
            link.sendall(b"abc")
            self.assert_silent(link)
            after = self.proxy.counters()["modes"]["blackhole"]
            self.assertEqual((after["bytes_up"] - before["bytes_up"], after["bytes_down"] - before["bytes_down"]),
                             (up, down), direction)
            self.proxy.set("forward")
            self.assertEqual(link.recv(10), b"abc")

    def test_reset_now_and_after_some_bytes(self):
        old = self.client()
        self.assertTrue(self.echoes(old))
        self.proxy.set("reset")
        with self.assertRaises(ConnectionResetError):
            old.recv(1)
        self.wait(lambda: self.echo.endings == ["reset"])
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            late = self.client()
            late.sendall(b"x")
            late.recv(1)
            late.sendall(b"x")
        self.assertEqual(self.proxy.tally("reset", "resets"), 2)
        self.proxy.set("reset", after_bytes=10)
        link = self.client()
        self.assertTrue(self.echoes(link, b"abcd"))  # 8 of 10 bytes, both ways together
        with self.assertRaises(ConnectionResetError):
            link.sendall(b"efgh")
            while link.recv(1):
                pass
            raise ConnectionError("closed in peace")
        self.assertEqual(self.proxy.tally("reset", "resets"), 3)

    def test_slow_takes_its_time_and_loses_nothing(self):
        link = self.client()
        start = time.monotonic()
        self.assertTrue(self.echoes(link, b"x" * 1000))
        swift = time.monotonic() - start  # the control
        self.proxy.set("slow", bytes_per_s=4000, latency_ms=150)
        start = time.monotonic()
        self.assertTrue(self.echoes(link, bytes(range(256)) * 4))
        taken = time.monotonic() - start
        self.assertGreater(taken, 0.5)  # 2 × 150 ms, and 1 KiB at 4000 bytes/s
        self.assertGreater(taken, swift)
        link.sendall(b"in order? ")
        self.proxy.set("forward")  # what is on its way must not be overtaken
        link.sendall(b"yes")
        got = b""
        while len(got) < 13:
            got += link.recv(100)
        self.assertEqual(got, b"in order? yes")

    def test_a_server_that_is_not_there_resets_the_client(self):
        self.echo.shutdown()
        self.echo.server_close()
        with self.assertRaises(ConnectionResetError):  # of the connection, or of the attempt
            self.client().recv(1)
        self.assertEqual(self.proxy.tally("forward", "refusals"), 1)

    def test_orders_are_checked(self):
        for mode, parameters in (("rain", {}), ("slow", {"after_bytes": 1}), ("reset", {"after_bytes": -1}),
                                 ("reset", {"after_bytes": "1"}), ("blackhole", {"direction": "left"})):
            with self.assertRaises(WrongOrder):
                self.proxy.set(mode, **parameters)
        self.assertEqual(self.proxy.counters()["mode"], "forward")
        self.assertTrue(self.echoes(self.client()))

    def test_it_ends_with_its_parent(self):
        port = self.proxy.port
        self.proxy.close()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


if __name__ == "__main__":
    main()
