"""A real gateway's checkpoints, as a consumer of the hub has them: honest, and after each attack on unit, uplink or hub."""
import base64
import json
import pathlib
import shutil
import signal
import subprocess
import sys

import stack  # first: it sets the path to the demo's modules
import clock
import decode
from patient import Plan
from support.proves import main, proves

BIN = stack.BINARY / "bin"
NONCE = "c3" * 32
HOUR_S = 3600
PATIENCE_S = 120
WRITERS = ("mitral-intake-lines", "mitral-uplink")
SPOOL, POSITIONS = "lib/spool/lines", "lib/uplink"


def listed(line):
    """The message ids that one checkpoint lists."""
    return [lane["lane"].replace("/", "-") + "-" + entry.split(" ")[0]
            for lane in json.loads(base64.b64decode(line["body"]))["lanes"] for entry in lane["messages"]]


def later(line, seconds):
    return dict(line, enqueued=clock.iso(int((clock.unix_seconds(line["enqueued"]) + seconds) * 1000)))


def replaced(line, change):
    body = json.loads(base64.b64decode(line["body"]))
    change(body)
    return dict(line, body=base64.b64encode(json.dumps(body).encode()).decode())


class Evidence(stack.StackTest):
    plans = (Plan("bed-1", interval_s=0.02), Plan("bed-2", interval_s=0.05, first_row=300, wave_every=5))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = cls.stack.layout
        cls.marks = cls.place.root / "unit.marks"
        cls._take_up()
        cls._wait_for_evidence()
        cls.ward.start()
        cls._wait_for_readings()
        cls._end_uplink()
        cls._copy_lanes()
        cls._wait_for_readings()
        cls._link_anew()
        cls._wait_for_readings()
        cls.ward.stop()
        cls._wait(lambda: cls.ward.all_arrived(0), "the last readings")
        cls.ward.end()
        cls._end_uplink()
        cls.honest = list(cls.stack.hub.log())

    # -- the unit ------------------------------------------------------------------------------
    @classmethod
    def _mitral(cls, *argv):
        return subprocess.run([str(part) for part in (BIN / "mitral", *argv, "--config", cls.place.config)],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    @classmethod
    def _take_up(cls):
        """As at the station: the key is recorded over the connection on which the unit was provisioned."""
        attestation = cls.place.root / "attestation"
        attestation.write_text(cls._mitral("attest", "--nonce", NONCE).stdout)
        done = cls._mitral("verify", "--marks", cls.marks, "--record", "--nonce", NONCE, attestation)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    @classmethod
    def _wait(cls, holds, what):
        if not cls.stack.wait_for(holds, PATIENCE_S):
            raise AssertionError(f"no {what}")

    @classmethod
    def _wait_for_readings(cls):
        before = cls.ward.delivered
        cls._wait(lambda: cls.ward.delivered > before + 100, "readings")

    @classmethod
    def _daemon(cls, name):
        return cls.stack.parts[name]

    @classmethod
    def _end_uplink(cls):
        """SIGTERM: it sends its last checkpoint. The supervisor starts it again."""
        before = cls._daemon("mitral-uplink").restarts
        cls._daemon("mitral-uplink").signal(signal.SIGTERM)
        cls._wait(lambda: cls._daemon("mitral-uplink").restarts > before, "new uplink")
        cls._wait_for_evidence()

    @classmethod
    def _wait_for_evidence(cls):
        """The uplink that runs has had a checkpoint acknowledged. (One that ended has left "stopped" behind.)"""
        def acknowledged():
            status = cls.stack.uplink_status()
            return status.get("state") == "connected" and status["checkpoints"]["acknowledged"] > 0

        cls._wait(acknowledged, "acknowledged checkpoint")

    @classmethod
    def _evidence(cls):
        return sum(decode.is_evidence(line) for line in cls.stack.hub.log())

    @classmethod
    def _link_anew(cls):
        before = cls._evidence()
        cls.stack.renew_token()
        cls._wait(lambda: cls._evidence() > before, "checkpoint on the new link")

    @classmethod
    def _hold(cls):
        """Who writes the lanes and their positions stands still."""
        for name in WRITERS:
            cls._daemon(name).signal(signal.SIGSTOP)
            stat = pathlib.Path(f"/proc/{cls._daemon(name).pid}/stat")
            cls._wait(lambda stat=stat: stat.read_text().rpartition(")")[2].split()[0] == "T", f"{name} at rest")

    @classmethod
    def _copy_lanes(cls):
        """The lanes as they are now; then everything goes on."""
        cls._hold()
        for path in (SPOOL, POSITIONS):
            shutil.copytree(cls.place.root / path, cls.place.root / "older" / path)
        for name in WRITERS:
            cls._daemon(name).signal(signal.SIGCONT)

    # -- the verifier --------------------------------------------------------------------------
    def verify(self, lines, *options):
        """Exit status and kinds of findings, by marks of this call's own."""
        marks = self.place.root / "copy.marks"
        shutil.copy(self.marks, marks)
        log = self.place.root / "messages.ndjson"
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = self._mitral("verify", "--marks", marks, "--log", log, *options)
        self.assertIn(done.returncode, (0, 2), done.stderr)
        kinds = {line.split(":")[0] for line in done.stdout.splitlines()}
        if kinds:
            print(done.stdout, end="", file=sys.stderr)
        return done.returncode, kinds

    def last_with_a_list(self):
        return max(place for place, line in enumerate(self.honest) if decode.is_evidence(line) and listed(line))

    def place_of(self, message_id):
        places = [place for place, line in enumerate(self.honest) if line["mid"] == message_id]
        return places[0] if len(places) == 1 else None

    def once_delivered(self):
        """The place of a listed message that came once."""
        for line in self.honest:
            for message_id in listed(line) if decode.is_evidence(line) else ():
                if self.place_of(message_id) is not None:
                    return self.place_of(message_id)
        return self.fail("no checkpoint lists a message")

    @proves("T-ROLL-01")
    def test_an_honest_run_gives_no_cause(self):
        self.assertEqual((0, set()), self.verify(self.honest, "--max-silence-s", "600"))
        listed_ids = {one for line in self.honest if decode.is_evidence(line) for one in listed(line)}
        sent = {line["mid"] for line in self.honest if not decode.is_evidence(line)}
        self.assertTrue(listed_ids <= sent)
        self.assertGreater(len(listed_ids), 0.9 * len(sent), "most of what was sent has evidence")
        self.assertTrue(decode.is_evidence(self.honest[0]), "a checkpoint goes ahead of data")

    @proves("T-ROLL-01")
    def test_messages_that_come_twice_give_no_cause(self):
        self.assertEqual((0, set()), self.verify(self.honest + self.honest))

    @proves("T-ROLL-01", "T-DATA-01")
    def test_a_dropped_message_is_named(self):
        place = self.once_delivered()
        self.assertEqual((2, {"message-missing"}), self.verify(self.honest[:place] + self.honest[place + 1:]))

    @proves("T-ROLL-01", "T-DATA-02")
    def test_an_altered_message_is_named(self):
        place = self.once_delivered()
        lines = list(self.honest)
        lines[place] = dict(lines[place], body=base64.b64encode(b"{}").decode())
        self.assertEqual((2, {"message-altered"}), self.verify(lines))

    @proves("T-ROLL-01")
    def test_a_withheld_checkpoint_is_told_by_the_next(self):
        lists = [place for place, line in enumerate(self.honest) if decode.is_evidence(line) and listed(line)]
        self.assertGreaterEqual(len(lists), 3, "one before, one to withhold, one after")
        place = lists[1]
        lines = self.honest[:place] + self.honest[place + 1:]
        self.assertEqual((2, {"lane-unproven"}), self.verify(lines))

    @proves("T-ROLL-01")
    def test_checkpoints_that_stop_are_a_silence(self):
        first = next(place for place, line in enumerate(self.honest) if decode.is_evidence(line))
        away = [line for place, line in enumerate(self.honest) if place <= first or not decode.is_evidence(line)]
        hour_later = away[:-1] + [later(away[-1], HOUR_S)]
        self.assertEqual((2, {"silent"}), self.verify(hour_later, "--max-silence-s", "1800"))
        self.assertEqual((0, set()), self.verify(away, "--max-silence-s", "1800"))  # negative control: no hour

    @proves("T-ROLL-01", "T-ID-02")
    def test_a_forged_checkpoint_is_no_evidence(self):
        def forge(body):
            raw = bytearray(base64.b64decode(body["checkpoint"]))
            raw[200] ^= 1
            body["checkpoint"] = base64.b64encode(raw).decode()

        place = self.last_with_a_list()
        lines = list(self.honest)
        lines[place] = replaced(lines[place], forge)
        self.assertIn("not-authentic", self.verify(lines)[1])

    @proves("T-ROLL-01")
    def test_a_list_that_was_changed_is_told(self):
        def shorten(body):
            next(lane for lane in body["lanes"] if lane["messages"])["messages"].pop()

        place = self.last_with_a_list()
        lines = list(self.honest)
        lines[place] = replaced(lines[place], shorten)
        self.assertEqual((2, {"list-altered"}), self.verify(lines))

    @proves("T-ROLL-01")
    def test_checkpoints_that_were_kept_back_cannot_pass_for_fresh(self):
        """No signed time on this unit: then nobody can say how old they are, and that is said."""
        self.assertEqual((2, {"undated"}), self.verify(self.honest, "--max-age-s", "60"))

    @proves("T-ROLL-01")
    def test_lanes_put_back_to_an_older_copy_are_told(self):
        self._hold()
        self.assertNotIn("lane-shrank", self.verify(list(self.stack.hub.log()))[1])
        for path in (SPOOL, POSITIONS):
            shutil.rmtree(self.place.root / path)
            shutil.copytree(self.place.root / "older" / path, self.place.root / path)
            self._own(path)
        for name in WRITERS:
            self._daemon(name).kill()
        self._wait(lambda: "lane-shrank" in self.verify(list(self.stack.hub.log()))[1], "lane that shrank")

    def _own(self, path):
        """As the copies' originals: copytree keeps modes, not owners."""
        for original in (self.place.root / "older" / path).rglob("*"):
            shutil.chown(self.place.root / path / original.relative_to(self.place.root / "older" / path),
                         "mitral-intake" if path == SPOOL else "mitral-uplink", "mitral-uplink")
        shutil.chown(self.place.root / path, "mitral-intake" if path == SPOOL else "mitral-uplink", "mitral-uplink")


if __name__ == "__main__":
    main()
