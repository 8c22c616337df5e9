#!/usr/bin/python3
"""Root on a unit against its trust zone and its verifier: `make attack-root`.

Each attack is refused, or `mitral verify` names it: a lie in a checkpoint when that checkpoint comes, silence when the
verifier's --max-silence-s is over, a trust zone that does not answer when it is asked. Each has its control.
"""
import hashlib
import os
import re
import shutil
import struct
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

import attacked  # noqa: E402
import attacker  # noqa: E402
import board_chain  # noqa: E402
import evidence  # noqa: E402
from board_custody import signed_with  # noqa: E402
from evidence import Lane  # noqa: E402
from support.proves import main, proves  # noqa: E402
from unit import copy  # noqa: E402

HUB, LONGEST_S, ALLOWANCE_S, YEAR_S = b"localhost:38883", 3600, 86400, 31_557_600  # tests/vault/canary_station.cpp
MINT_HUB, CHECKPOINT, ATTEST = 1, 11, 12                                           # src/trusted/protocol.h
OK, NOT_LISTED, LIFETIME_REFUSED, CLOCK_REFUSED = 0, 7, 8, 9
UNREADABLE = "probe: no statement: 0x00000000, status 16"


def text(value):
    return struct.pack(">H", len(value)) + value


class Running(attacked.Attacked):
    """One unit for all: what is done to it here can be undone."""

    @classmethod
    def setUpClass(cls):
        cls.site = attacked.Attacked()
        cls.addClassCleanup(cls.site.doCleanups)
        cls.site.setUp()
        cls.site.taken_up()

    def setUp(self):
        self.__dict__.update({name: value for name, value in vars(self.site).items() if not name.startswith("_")})
        self.marks = self.folder / f"{self._testMethodName}.marks"
        shutil.copyfile(self.site.marks, self.marks)

    def mint(self, now_s, lifetime_s, hub=HUB):
        """(status, expiry, token)"""
        reply = self.ask(MINT_HUB, struct.pack(">qq", now_s, lifetime_s) + text(hub) + text(b""))
        if reply[0] != OK:
            return reply[0], 0, ""
        expiry, size = struct.unpack_from(">qH", reply, 1)
        return OK, expiry, reply[11:11 + size].decode()

    def state(self):
        """The zone's own word, over a nonce nobody needs to know."""
        return self.ask(ATTEST, bytes(32))[3:]

    def checkpoint(self, *lanes, **log):
        reply = self.ask(CHECKPOINT, text(evidence.report(list(lanes), **log)))
        self.assertEqual(reply[0], OK)
        return reply[3:]

    @proves("T-TOK-01", "T-TIME-01")
    def test_a_clock_far_ahead_gives_no_token(self):
        self.vault_again()
        self.assertEqual(len(self.exercised(1)), 5)  # control
        self.attacker.must("busybox date -s @4102444800")  # the year 2100
        self.addCleanup(self.attacker.must, f"busybox date -s @{int(time.time())}")
        refused = self.station("exercise", "1")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("clock refused", refused.stderr)

    @proves("T-TOK-01", "T-TOK-02", "T-KEY-04")
    def test_a_token_far_ahead_is_refused_past_the_vault_too(self):
        before, now = self.state(), int(time.time())
        floor = evidence.number(before, "floor")
        for ahead in (ALLOWANCE_S, YEAR_S, 10 * YEAR_S):
            self.assertEqual(self.mint(now + ahead, LONGEST_S)[0], CLOCK_REFUSED)
        self.assertEqual(self.mint(floor - 1, LONGEST_S)[0], CLOCK_REFUSED)
        for lifetime in (LONGEST_S + 1, 86401, 10 * YEAR_S, 2**63 - 1, 0, -1):
            self.assertEqual(self.mint(now, lifetime)[0], LIFETIME_REFUSED)
        for hub in (b"localhost:38884", HUB + b".example", b"localhost", b"*"):
            self.assertEqual(self.mint(now, 600, hub)[0], NOT_LISTED)
        # Control: what is allowed is given, ends when it should, and both kinds are counted.
        status, expiry, token = self.mint(now, LONGEST_S)
        self.assertEqual((status, expiry), (OK, now + LONGEST_S))
        self.assertTrue(signed_with(token, self.keys.device))
        last = floor + ALLOWANCE_S - LONGEST_S
        self.assertEqual(self.mint(last, LONGEST_S)[:2], (OK, floor + ALLOWANCE_S))
        self.assertEqual(self.mint(last + 1, LONGEST_S)[0], CLOCK_REFUSED)
        after = self.state()
        self.assertEqual(evidence.number(after, "mints"), evidence.number(before, "mints") + 2)
        self.assertEqual(evidence.number(after, "refusals"), evidence.number(before, "refusals") + 15)

    @proves("T-ROLL-01", "T-LOG-02")
    def test_positions_that_lie_are_named_when_their_checkpoint_comes(self):
        head, alerts, vitals = b"\1" * 32, Lane("alerts", 10, gaps=2), Lane("vitals", 100, first=40)
        honest = self.checkpoint(alerts, vitals, entries=5, head=head)
        self.assertEqual((0, ""), self.verify(self.evidence_file(honest)))
        lies = {"lane-shrank: lane alerts": ([Lane("alerts", 9, gaps=2), vitals], 5, head),
                "lane-shrank: lane vitals": ([alerts, Lane("vitals", 100, first=39)], 5, head),
                "lane-missing: lane alerts": ([vitals], 5, head),
                "lane-altered: lane alerts": ([Lane("alerts", 10, gaps=2, content=b"\2" * 32), vitals], 5, head),
                "lane-altered: lane alerts: its count": ([Lane("alerts", 11, gaps=1), vitals], 5, head),
                "lane-replaced: lane vitals": ([alerts, Lane("vitals", 100, first=40, stream=2)], 5, head),
                "log-suppressed": ([alerts, vitals], 4, head),
                "log-altered": ([alerts, vitals], 5, b"\3" * 32)}
        for finding, (lanes, entries, said) in lies.items():
            with self.subTest(finding):
                forged = self.checkpoint(*lanes, entries=entries, head=said)
                self.assertIn(finding, self.finds(self.evidence_file(forged)))
        grown = self.checkpoint(Lane("alerts", 11, gaps=2), Lane("vitals", 120, first=50), entries=6, head=b"\4" * 32)
        self.assertEqual("", self.finds(self.evidence_file(grown)))  # control
        self.assertIn("replayed", self.finds(self.evidence_file(grown, grown)))

    @proves("T-ROLL-01")
    def test_counters_are_the_trust_zone_s_alone(self):
        genuine = self.checkpoint()
        for field in ("checkpoint", "mints", "floor", "orders"):
            for by in (-1, 1, 1000):
                forged = evidence.with_number(genuine, field, evidence.number(genuine, field) + by)
                with self.subTest(field, by=by):
                    self.assertIn("not-authentic", self.finds(self.evidence_file(forged)))
        nonce, answer = self.from_vault()
        other = nonce[:-1] + ("0" if nonce[-1] != "0" else "1")
        self.assertIn("not-authentic", self.finds("--nonce", other, answer))  # an answer that was kept
        self.assertEqual("", self.finds("--nonce", nonce, answer))  # control

    def from_vault(self):
        self.vault_again()
        return self.attested()

    @proves("T-ROLL-01", "T-LOG-02")
    def test_checkpoints_and_answers_that_do_not_come_are_missed(self):
        allowed_s = 5
        self.assertEqual((0, ""), self.verify(self.evidence_file(self.checkpoint(
            Lane("alerts", 20, gaps=2), Lane("vitals", 200, first=60), entries=20, head=b"\5" * 32))))
        came = time.monotonic()
        self.assertEqual("", self.finds("--max-silence-s", 3600))  # control
        while not (said := self.finds("--max-silence-s", allowed_s)):
            self.assertLess(time.monotonic() - came, 120)
        self.assertTrue(said.startswith("silent: "))
        self.assertGreaterEqual(time.monotonic() - came, allowed_s - 1)  # whole seconds
        self.assertIn("silent: no attestation came", self.finds("--nonce", "5a" * 32, self.text_file("")))


class Storage(attacked.Attacked):
    """Roll-back and copies, of a unit that had more than the 64 tokens that are counted ahead in between."""

    def gives_nothing(self, unit):
        """No token; and what it signs of itself it signs with a key that is not the unit's."""
        unit.wait_for("board: not well", board_chain.CONFIRMED, within=600)
        refused = self.station("exercise", "1")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("not provisioned", refused.stderr)
        nonce, answer = self.attested()
        self.assertIn("not-authentic", self.finds("--nonce", nonce, answer))

    def swap_storage(self, new, old):
        self.attacker.must(f"tee={attacked.TEE}; systemctl stop mitral-vault board-supplicant && "
                           f"busybox mv $tee {old} && busybox mv {new} $tee")
        self.power_cut()

    @proves("T-ROLL-01", "T-ID-02")
    def test_an_older_storage_and_a_copied_disk_give_nothing(self):
        self.taken_up()
        self.attacker.must(f"systemctl stop mitral-vault && busybox cp -a {attacked.TEE} /data/older")
        self.attacker.must("systemctl start mitral-vault")
        self.exercised(22)
        nonce, answer = self.attested()
        self.assertEqual((0, ""), self.verify("--nonce", nonce, answer))

        self.swap_storage("/data/older", "/data/newer")
        self.start()
        self.gives_nothing(self.unit)
        self.assertIn(UNREADABLE, self.unit.text())
        self.swap_storage("/data/newer", "/data/gone")

        thief = self.another("thief")  # other hardware
        copy(self.unit.disk, thief.disk)
        self.plug_in(thief)
        thief.start()
        self.gives_nothing(thief)
        stolen = identity(thief)
        thief.stop()

        self.plug_in(self.unit)
        self.start()  # control: this disk in its own unit
        self.unit.wait_for(board_chain.CONFIRMED, within=600)
        self.assertEqual(len(self.exercised(1)), 5)
        nonce, answer = self.attested()
        self.assertEqual("", self.finds("--nonce", nonce, answer))
        for own, others in zip(identity(self.unit), stolen, strict=True):
            self.assertNotEqual(own, others)


def identity(unit):
    """The unit's id and its attestation key, as the trust zone says them."""
    return re.findall(r"probe: (?:unit|attestation key) ([0-9a-f]+)", unit.text())


class OlderImage(attacked.Attacked):
    """What is not refused yet: docs/attack-root.md says so, and this changes when there is a security epoch."""

    def test_open_an_older_signed_image_starts(self):
        self.set_up_unit()
        root = attacker.Attacker(self.unit)
        self.addCleanup(root.close)
        self.unit.start(*root.arguments())
        self.unit.wait_for(board_chain.CONFIRMED, within=600)
        older, newer = (initramfs_hash(image) for image in (board_chain.IMAGE, Path(attacker.image().name, "board")))
        self.assertIn(newer, self.unit.text())
        root.must("busybox dd if=/dev/vda3 of=/dev/vda2 bs=1M conv=fsync")  # the image of the other slot, by hand
        self.unit.stop()
        self.unit.start()
        self.comes_up(self.unit, "a")
        self.assertIn(older, self.unit.text())
        self.assertNotIn(newer, self.unit.text())


def initramfs_hash(folder):
    """As U-Boot says it before it starts the image."""
    return hashlib.sha256((folder / "image" / "initramfs").read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
