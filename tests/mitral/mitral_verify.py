"""mitral attest and mitral verify against a real vault (software back end): a unit that is sound, rolled back, copied."""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from support.proves import main, proves

BIN = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin"
CHECKPOINT = 11
NO_LOG_NO_LANES = bytes(8 + 32 + 1)
NONCE = "5a" * 32
LANE = "lines/vitals"


def enqueued(ago_s=0):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - ago_s))


def message(mid, body, schema="mitral.vitals/1", device="unit", at=None):
    return json.dumps({"device": device, "mid": mid, "enqueued": at or enqueued(), "properties": {"schema": schema},
                       "body": base64.b64encode(body.encode()).decode()}) + "\n"


def reading(number, body="reading"):
    return message(f"lines-vitals-00000000000000ab-{number}", body)


def line_of(number, body="reading"):
    return f"00000000000000ab-{number} " + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()


class Verify(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="mitral-verify-")
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        (self.root / "station.pub").write_text(base64.b64encode(bytes(32)).decode())
        (self.root / "mitral.toml").write_text(f"""
[vault]
socket = "{self.root}/vault.sock"
state = "{self.root}/state"
backend = "software"
station_key = "{self.root}/station.pub"
[[vault.peer]]
user = "{os.getuid()}"
may = ["checkpoint", "attest"]
""")
        self.vault = None
        self.addCleanup(self.stop)
        self.start()
        self.marks = self.root / "unit.marks"
        self.assertEqual(self.verify("--record", "--nonce", NONCE, self.file(self.attestation())), (0, ""))

    def start(self):
        with open(self.root / "vault.log", "wb") as log:
            self.vault = subprocess.Popen([BIN / "mitral-vault", "--config", self.root / "mitral.toml"], stderr=log)
        deadline = time.monotonic() + 60
        while b"vault-ready" not in (self.root / "vault.log").read_bytes():
            self.assertTrue(self.vault.poll() is None and time.monotonic() < deadline, "the vault does not start")
            time.sleep(0.02)

    def stop(self):
        if self.vault:
            self.vault.terminate()
            self.vault.wait(timeout=20)

    def restart(self):
        self.stop()
        self.start()

    def mitral(self, *argv):
        return subprocess.run([str(part) for part in (BIN / "mitral", *argv, "--config", self.root / "mitral.toml")],
                              capture_output=True, text=True, timeout=60, check=False)

    def attestation(self, nonce=NONCE):
        done = self.mitral("attest", "--nonce", nonce)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def checkpoint(self, report=NO_LOG_NO_LANES):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as vault:
            vault.settimeout(20)
            vault.connect(str(self.root / "vault.sock"))
            vault.send(struct.pack(">BBH", 1, CHECKPOINT, len(report)) + report)
            reply = vault.recv(4096)
        self.assertEqual(reply[:2], b"\1\0", reply)
        return base64.b64encode(reply[4:]).decode() + "\n"

    def listed(self, first, end, lines, at=None):
        """A line of a log: the checkpoint of one lane with its list."""
        digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode() + b"0\n").digest()
        report = (bytes(8 + 32) + b"\1" + struct.pack(">H", len(LANE)) + LANE.encode()
                  + struct.pack(">QQQ", 0xab, first, end) + digest + bytes(8))
        body = {"checkpoint": self.checkpoint(report).strip(),
                "lanes": [{"lane": LANE, "unlisted": 0, "messages": lines}]}
        return message("checkpoint-1", json.dumps(body), "mitral.checkpoint/1", at=at)

    def judged(self, text, *options):
        return self.verify("--device", "unit", *options, "--log", self.file(text))

    def file(self, text):
        handle, name = tempfile.mkstemp(dir=self.root)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        return name

    def verify(self, *argv):
        """Exit status, and the first word of each line."""
        done = self.mitral("verify", "--marks", self.marks, *argv)
        self.assertTrue(done.returncode != 1 or done.stderr, done)
        return done.returncode, " ".join(line.split(":")[0] for line in done.stdout.splitlines())

    @proves("T-ROLL-01", "T-ID-02")
    def test_a_sound_unit_a_rolled_back_one_and_a_copy(self):
        both = self.checkpoint() + self.checkpoint()
        self.assertEqual(self.verify(self.file(both)), (0, ""))
        self.assertEqual(self.verify(self.file(both)), (2, "replayed replayed"))
        shutil.copytree(self.root / "state", self.root / "older")
        self.assertEqual(self.verify(self.file(self.checkpoint())), (0, ""))
        self.restart()  # negative control: a start is no roll-back
        self.assertEqual(self.verify(self.file(self.checkpoint())), (0, ""))
        self.stop()
        shutil.rmtree(self.root / "state")
        shutil.copytree(self.root / "older", self.root / "state")
        self.start()
        self.assertEqual(self.verify(self.file(self.checkpoint())), (2, "rolled-back"))
        self.assertEqual(self.verify("--nonce", NONCE, self.file(self.attestation())), (2, "rolled-back"))

    @proves("T-ROLL-01")
    def test_attestations_answer_their_nonce_alone(self):
        fresh = "11" * 32
        self.assertEqual(self.verify("--nonce", fresh, self.file(self.attestation(fresh))), (0, ""))
        self.assertEqual(self.verify("--nonce", fresh, self.file(self.attestation())), (2, "not-authentic"))
        for none in ("", "\n\n"):
            self.assertEqual(self.verify("--nonce", fresh, self.file(none)), (2, "silent"))
        self.assertEqual(self.verify("--nonce", fresh), (2, "silent"))
        self.assertEqual(self.verify("--nonce", fresh, self.file(self.attestation(fresh) * 2)), (2, "malformed"))
        self.stop()
        shutil.rmtree(self.root / "state")
        self.start()  # another unit
        self.assertEqual(self.verify(self.file(self.checkpoint())), (2, "not-authentic"))

    @proves("T-ROLL-01")
    def test_silence_is_told_and_junk_is_none(self):
        self.assertEqual(self.verify("--max-silence-s", "3600"), (0, ""))  # negative control
        self.assertEqual(self.verify(self.file("not base64\n\n")), (2, "malformed"))
        before = self.marks.read_bytes()
        heard = (int(time.time()) - 7200).to_bytes(8, "big")
        place = 4 + 64 + 32 + 2 + 8 + 8 + 8 + 8 + 8 + 32
        self.marks.write_bytes(before[:place] + heard + before[place + 8:])
        self.assertEqual(self.verify("--max-silence-s", "3600"), (2, "silent"))
        self.assertEqual(self.verify("--max-silence-s", "9000"), (0, ""))
        late = self.file(self.checkpoint())
        self.assertEqual(self.verify("--max-silence-s", "3600", late), (2, "silent"))  # the gap is told, and ends
        self.assertEqual(self.verify("--max-silence-s", "3600"), (0, ""))

    @proves("T-ROLL-01")
    def test_a_unit_in_doubt_is_not_taken_up(self):
        self.marks.unlink()
        self.stop()
        (self.root / "state" / "custody").write_bytes(b"damaged")
        self.start()
        self.assertEqual(self.verify("--record", "--nonce", NONCE, self.file(self.attestation()))[0], 1)
        self.assertFalse(self.marks.exists())

    @proves("T-ROLL-01")
    def test_a_file_that_cannot_be_read_hides_nothing(self):
        missing, good = self.root / "missing", self.file(self.checkpoint())
        self.assertEqual(self.verify(missing, self.file("not base64\n"), good), (2, "malformed malformed"))
        self.assertEqual(self.verify(good), (2, "replayed"))  # it was judged and kept

    @proves("T-ROLL-01")
    def test_an_order_that_was_not_taken_is_told(self):
        self.assertEqual(self.verify("--order-counter", "0", self.file(self.checkpoint())), (0, ""))
        self.assertEqual(self.verify("--order-counter", "7", self.file(self.checkpoint())), (2, "rolled-back"))
        self.assertEqual(self.verify("--nonce", NONCE, "--order-counter", "7", self.file(self.attestation())),
                         (2, "rolled-back"))

    @proves("T-ROLL-01")
    def test_a_log_of_messages(self):
        def evidence(checkpoint):
            return message("checkpoint-1", json.dumps({"checkpoint": checkpoint.strip(), "lanes": []}),
                           "mitral.checkpoint/1")

        judged = self.judged
        honest = message("a", "{}") + evidence(self.checkpoint())
        self.assertEqual(judged(honest), (0, ""))
        self.assertEqual(judged(honest * 2), (0, ""))  # messages arrive at least once
        self.assertEqual(judged(message("b", "{}", device="another") + evidence("none").replace("unit", "another")), (0, ""))
        self.assertEqual(judged(evidence("none")), (2, "malformed"))
        self.assertEqual(judged(message("a", "{}") + "cut off"), (2, "malformed"))
        self.assertEqual(self.verify("--device", "unit", "--log", self.root / "missing"), (2, "malformed"))
        for hostile in ("[1]", "{}", '{"device":"unit","properties":7,"mid":[],"body":{}}', "[" * 100_000, "\0\xff"):
            self.assertIn(judged(hostile + "\n"), ((0, ""), (2, "malformed")), hostile[:20])

    @proves("T-ROLL-01")
    def test_a_checkpoint_that_was_judged_by_itself_is_held_to_its_list_later(self):
        evidence = self.listed(1, 4, [line_of(number) for number in (1, 2, 3)])
        by_itself = json.loads(base64.b64decode(json.loads(evidence)["body"]))["checkpoint"]
        self.assertEqual(self.verify(self.file(by_itself)), (0, ""))
        before = self.marks.read_bytes()
        readings = [reading(number) for number in (1, 2, 3)]
        self.assertEqual(self.judged("".join(readings) + evidence), (0, ""))  # negative control
        self.assertEqual(self.judged(evidence), (0, ""))  # and once: a later log need not hold the readings
        self.marks.write_bytes(before)
        self.assertEqual(self.judged(readings[0] + readings[2] + evidence), (2, "message-missing"))

    def put_back_heard(self, ago_s):
        """The last good checkpoint came so long ago."""
        before, place = self.marks.read_bytes(), 4 + 64 + 32 + 2 + 8 + 8 + 8 + 8 + 8 + 32
        heard = (int(time.time()) - ago_s).to_bytes(8, "big")
        self.marks.write_bytes(before[:place] + heard + before[place + 8:])

    @proves("T-ROLL-01")
    def test_a_log_without_anything_is_a_silence(self):
        options = "--max-silence-s", "3600"
        self.assertEqual(self.judged("", *options), (0, ""))  # negative control
        self.put_back_heard(7200)
        self.assertEqual(self.judged("", *options), (2, "silent"))
        self.assertEqual(self.judged(reading(1), *options), (2, "silent"))  # told once
        self.assertEqual(self.judged(self.listed(1, 1, []), *options), (0, ""))

    @proves("T-ROLL-01")
    def test_times_of_a_log_that_cannot_be_end_no_silence(self):
        self.put_back_heard(7200)
        for at in ("2100-01-01T00:00:00.000Z", "none"):
            self.assertEqual(self.judged(self.listed(1, 1, [], at=at)), (2, "malformed"), at)
        self.assertEqual(self.judged(reading(1), "--max-silence-s", "3600"), (0, ""))  # negative control: taken now
        later = message("b", "{}", at=enqueued(-7200))
        self.assertEqual(self.judged(later, "--max-silence-s", "3600"), (2, "silent"))

    @proves("T-ROLL-01", "T-DATA-01")
    def test_files_of_a_log_are_apart(self):
        first, second = self.listed(1, 1, []) + reading(1), reading(2) + self.listed(1, 3, [line_of(1), line_of(2)])
        self.assertEqual(self.verify("--device", "unit", "--log", self.file(first.rstrip("\n")),
                                     "--log", self.file(second)), (0, ""))

    def test_one_verifier_at_a_time(self):
        with open(f"{self.marks}.lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            argv = [BIN / "mitral", "verify", "--marks", self.marks, "--config", self.root / "mitral.toml",
                    self.file(self.checkpoint())]
            with subprocess.Popen(argv, stdout=subprocess.PIPE) as waiting:
                self.addCleanup(waiting.kill)
                deadline = time.monotonic() + 60
                while " FLOCK " not in "".join(line for line in pathlib.Path("/proc/locks").read_text().splitlines()
                                               if f"-> FLOCK  ADVISORY  WRITE {waiting.pid} " in line):
                    self.assertTrue(waiting.poll() is None and time.monotonic() < deadline, "it does not wait")
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.assertEqual((waiting.wait(timeout=60), waiting.stdout.read()), (0, b""))

    def test_marks_are_never_replaced_by_record(self):
        again = self.file(self.attestation())
        self.assertEqual(self.verify("--record", "--nonce", NONCE, again)[0], 1)
        self.marks.unlink()
        self.assertEqual(self.verify("--record", "--nonce", "00" * 32, again)[0], 1)
        self.assertEqual(self.verify("--record", "--nonce", NONCE, again), (0, ""))
        self.assertEqual(self.mitral("verify", "--marks", self.root / "none", again).returncode, 1)


if __name__ == "__main__":
    main()
