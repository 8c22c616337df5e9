"""The time authority of a running server, asked by a client of the tests' own."""
import os
import signal
import socket
import stat
import struct
import time
import unittest

from cloud import roughtime
from cloud.local_azure import LocalAzure
from cloud.roughtime import DRAFTS, VERSION_1, Client, Invalid, packet, request, verify
from support.proves import main, proves

NOTHING_IN_COMMON = 0x80000008


def wrong_requests(key):
    """What a server has to ignore, by name."""
    good = request(key)
    body = good[12:]
    fields = {"VER": struct.pack("<I", 1), "NONC": bytes(32), "TYPE": bytes(4), "ZZZZ": bytes(960)}
    shuffled = packet(roughtime.message(fields, ["VER", "TYPE", "NONC", "ZZZZ"]))
    return {
        "empty": b"",
        "too short": request(key, size=1020),
        "too long": request(key, size=8192),
        "another magic": b"ROUGHTIN" + good[8:],
        "length too small": good[:8] + struct.pack("<I", len(body) - 4) + body,
        "length too large": good[:8] + struct.pack("<I", 0xFFFFFFFC) + body,
        "noise": os.urandom(1024),
        "zeros": bytes(1024),
        "no tags": packet(bytes(1012)),
        "too many tags": packet(struct.pack("<I", 0xFFFFFFFF) + bytes(1008)),
        "offsets that fall": packet(struct.pack("<4I", 4, 8, 4, 12) + body[16:]),
        "an offset beyond": packet(struct.pack("<2I", 5, 0xFFFFFFF0) + body[8:]),
        "an odd offset": packet(struct.pack("<2I", 5, 2) + body[8:]),
        "tags out of order": shuffled,
        "no VER": request(key, VER=None),
        "no NONC": request(key, NONC=None),
        "no TYPE": request(key, TYPE=None),
        "an answer": request(key, TYPE=struct.pack("<I", 1)),
        "a long TYPE": request(key, TYPE=bytes(8)),
        "a short nonce": request(key, NONC=bytes(28)),
        "a long nonce": request(key, NONC=bytes(64)),
        "no versions": request(key, VER=b""),
        "versions twice": request(key, versions=(1, 1)),
        "versions that fall": request(key, versions=(DRAFTS, 1)),
        "too many versions": request(key, versions=tuple(range(1, 34))),
        "no common version": request(key, versions=(NOTHING_IN_COMMON,)),
        "another server's": request(bytes(32)),
        "a short SRV": request(key, SRV=bytes(28)),
        "padding that talks": request(key, ZZZZ=b"\0" * 959 + b"\1"),
    }


class Time(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--time-port", "0")
        cls.azure.start()
        cls.port = cls.azure.ports["time"]
        cls.key = roughtime.public_key(cls.azure.state)

    @classmethod
    def tearDownClass(cls):
        assert cls.azure.stop() == 0
        cls.azure.__exit__()

    def ask(self, sent):
        with Client(self.port) as client:
            return client.ask(sent)

    def test_a_signed_answer_tells_the_time(self):
        for key in (self.key, None):  # with SRV and without
            sent = request(key)
            before = time.time()
            said = verify(sent, self.ask(sent), self.key)
            self.assertLessEqual(before - said["radius"] - 1, said["time"])
            self.assertLessEqual(said["time"], time.time() + said["radius"])
            self.assertGreaterEqual(said["radius"], 3)

    def test_the_newest_common_version_is_spoken(self):
        for offered, chosen in (((1,), 1), ((DRAFTS,), DRAFTS), ((1, DRAFTS), 1), ((1, 7, NOTHING_IN_COMMON), 1),
                                ((NOTHING_IN_COMMON, DRAFTS), DRAFTS), (tuple(range(1, 33)), 1)):
            with self.subTest(offered=offered):
                sent = request(self.key, versions=offered)
                said = verify(sent, self.ask(sent), self.key)
                self.assertEqual((said["version"], said["versions"]), (chosen, [VERSION_1, DRAFTS]))

    def test_one_signature_answers_what_waits(self):
        sent = [request(self.key, versions=(DRAFTS,) if i % 5 == 0 else (1,)) for i in range(40)]
        with Client(self.port) as client:
            os.kill(self.azure.process.pid, signal.SIGSTOP)  # so that all of it waits in the queue
            try:
                for each in sent:
                    client.socket.send(each)
            finally:
                os.kill(self.azure.process.pid, signal.SIGCONT)
            answers = [client.socket.recv(65535) for _ in sent]
        said = [verify(*pair, self.key) for pair in zip(sent, answers)]
        self.assertEqual(len({row["root"] for row in said}), 2)  # one for each version
        self.assertEqual({row["path"] for row in said}, {3, 5})  # trees of 8 and 32 leaves
        self.assertLessEqual(max(map(len, answers)), 1024)

    def test_an_answer_proves_only_its_own_request(self):
        sent = request(self.key)
        answer = self.ask(sent)
        verify(sent, answer, self.key)
        with self.assertRaises(Invalid):
            verify(request(self.key), answer, self.key)
        with self.assertRaises(Invalid):  # one bit of padding is another request
            verify(sent[:-1] + b"\1", answer, self.key)

    def test_control_no_byte_of_an_answer_can_change(self):
        sent = request(self.key)
        answer = self.ask(sent)
        believed = []
        for at in range(len(answer)):
            changed = answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1:]
            try:
                verify(sent, changed, self.key)
                believed.append(at)
            except (Invalid, KeyError, struct.error, UnicodeDecodeError, ValueError):
                pass
        self.assertEqual(believed, [])

    def test_no_answer_to_what_is_no_request(self):
        wrong = wrong_requests(self.key)
        for what, sent in wrong.items():
            with self.subTest(what), Client(self.port) as client:
                client.socket.send(sent)
                proper = request(self.key)
                # The first answer of all is that to the proper request behind it.
                verify(proper, client.ask(proper), self.key)

    def test_an_answer_is_not_larger_than_its_request(self):
        for size in (1024, 1100, 4096):
            sent = request(self.key, size=size)
            self.assertEqual(len(sent), size)
            self.assertLessEqual(len(self.ask(sent)), 1024)

    def test_tcp_answers_request_after_request(self):
        sent = [request(self.key, size=size) for size in (200, 1024, 4096)]
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as stream, stream.makefile("rb") as answers:
            whole = b"".join(sent)
            for piece in (whole[:5], whole[5:300], whole[300:]):
                stream.sendall(piece)
            for each in sent:
                head = answers.read(12)
                verify(each, head + answers.read(struct.unpack_from("<I", head, 8)[0]), self.key)

    def test_tcp_ends_with_what_is_no_request(self):
        for what, sent in wrong_requests(self.key).items():
            if what in ("empty", "too short", "length too small"):  # over TCP a request may be short
                continue
            with self.subTest(what), socket.create_connection(("127.0.0.1", self.port), timeout=15) as stream:
                stream.sendall(sent)
                try:
                    self.assertEqual(stream.recv(4096), b"")
                except ConnectionResetError:
                    pass


class WrongTime(unittest.TestCase):
    """The fault clock-off, seen by a client that believes signatures alone: the wrong time comes well signed."""

    @proves("T-TIME-01")
    def test_a_clock_that_is_off_is_signed_and_comes_back(self):
        with LocalAzure("--time-port", "0") as azure:
            key = roughtime.public_key(azure.state)

            def told():
                sent = request(key)
                with Client(azure.ports["time"]) as client:
                    said = verify(sent, client.ask(sent), key)
                return said["time"] - time.time(), said["radius"]
            for offset in (7200, -30 * 86400, 400 * 86400, 0):
                azure.admin(f"/faults/clock-off?offset_s={offset}", "POST")
                ahead, radius = told()
                self.assertLessEqual(abs(ahead - offset), radius + 5, offset)
            azure.admin("/faults/clock-off?offset_s=7200", "POST")
            self.assertGreater(told()[0], 7000)
            # Who asks two authorities hears that they differ by more than both radii: one of them is wrong.
            with LocalAzure("--time-port", "0") as second:
                other_key, sent = roughtime.public_key(second.state), request(roughtime.public_key(second.state))
                with Client(second.ports["time"]) as client:
                    said = verify(sent, client.ask(sent), other_key)
                ahead, radius = told()
                self.assertGreater(time.time() + ahead - said["time"], radius + said["radius"])
            azure.admin("/faults/clock-off", "DELETE")
            ahead, radius = told()
            self.assertLessEqual(abs(ahead), radius + 5)


class Keys(unittest.TestCase):
    @proves("T-KEY-05")
    def test_they_last_and_are_nobody_else_s(self):
        with LocalAzure("--time-port", "0") as azure:
            key = roughtime.public_key(azure.state)
            for secret in ("long-term.key", "delegated.key"):
                self.assertEqual(stat.S_IMODE((azure.state / "time" / secret).stat().st_mode), 0o600)
            azure.stop()
            azure.start()
            self.assertEqual(roughtime.public_key(azure.state), key)
            sent = request(key)
            with Client(azure.ports["time"]) as client:
                verify(sent, client.ask(sent), key)

    def test_a_damaged_key_stops_the_start(self):
        with LocalAzure("--time-port", "0") as azure:
            azure.stop()
            (azure.state / "time" / "long-term.key").write_bytes(b"short")
            with self.assertRaisesRegex(RuntimeError, "long-term.key"):
                azure.start()

    def test_without_a_port_there_is_none(self):
        with LocalAzure() as azure:
            self.assertNotIn("time", azure.ports)
            self.assertFalse((azure.state / "time").exists())


if __name__ == "__main__":
    main()
