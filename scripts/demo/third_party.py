"""A bed whose monitor speaks through somebody else's program: mllp_send of python3-hl7.

mitral-bedside makes the messages and says what the book will hold; mllp_send connects, frames, sends and prints the
answers, a few messages a run. A message is booked when, and only when, its own AA or CA was printed; every other one
goes out again in the next run, as it is.
"""
import base64
import collections
import json
import re
import shutil
import subprocess
import threading
import time

from sender import Sender

A_RUN = 10            # messages
PAUSE_S = 0.3         # between two runs
ANSWER = re.compile(rb"MSA\|(\w\w)\|([^|\r]*)(?:\|([^|\r]*))?")


class MllpSend(Sender, threading.Thread):
    def __init__(self, stack, source, dialect, recording, port):
        Sender.__init__(self, source, "private codes, sent by python3-hl7's mllp_send")
        threading.Thread.__init__(self, name=source, daemon=True)
        self.trouble = ""
        self._stack, self._port = stack, port
        self._books = stack.layout.books
        self._file = stack.layout.root / f"{source}.hl7"
        self._plan = stack.layout.root / f"etc/{source}.toml"
        self._plan.write_text(f'[ward]\nrecording = "{recording}"\n[[bed]]\nsource = "{source}"\n'
                              f'dialect = "{dialect}"\nto = "127.0.0.1:{port}"\nfirst_row = 1400\n'
                              f'remarks = true\n', encoding="utf-8")
        self._waiting = collections.deque()   # of Message
        self._stopping = threading.Event()
        self._deadline = None

    def stop(self, wait_s=30.0):
        self._deadline = time.monotonic() + wait_s
        self._stopping.set()

    def run(self):
        self._books.mkdir(parents=True, exist_ok=True)
        maker = subprocess.Popen([str(self._stack.programs / "mitral-bedside"), "--plan", str(self._plan),
                                  "--emit-on-demand"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._stack.reaper.watch(maker.pid)
        try:
            while not self._done():
                if not self._stopping.is_set():
                    self._make(maker)
                self._send()
                self._stopping.wait(PAUSE_S)
            self._write("pending", self._waiting)
        finally:
            maker.stdin.close()
            maker.wait(5)
            maker.stdout.close()
            self._stack.reaper.forget(maker.pid)
            self.finished.set()

    def _done(self):
        return self._stopping.is_set() and (not self._waiting or time.monotonic() > self._deadline)

    def _make(self, maker):
        while len(self._waiting) < A_RUN:
            maker.stdin.write(b"\n")
            maker.stdin.flush()
            self._waiting.append(Message(json.loads(maker.stdout.readline())))

    def _send(self):
        """One run of mllp_send; takes off the list what was answered for good."""
        batch = {message.control_id: message for message in list(self._waiting)[:A_RUN]}
        self._file.write_bytes(b"".join(message.text + b"\r" for message in batch.values()))
        now = time.time()
        for message in batch.values():
            message.sent = message.sent or now
        try:
            run = subprocess.run([shutil.which("mllp_send"), "--loose", "--file", str(self._file), "--port",
                                  str(self._port), "127.0.0.1"], capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            self.trouble = "mllp_send: no answer"
            return
        if run.returncode != 0:
            self.trouble = "mllp_send: " + run.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        for code, control_id, reason in ANSWER.findall(run.stdout):
            message = batch.pop(control_id.decode(errors="replace"), None)
            if message is not None:
                self._settle(message, code, reason.decode(errors="replace"))

    def _settle(self, message, code, reason):
        if code in (b"AE", b"CE"):
            self.trouble = f"later: {reason}"
            return
        self._waiting.remove(message)
        if code in (b"AR", b"CR"):
            self.refused.append((message.control_id, reason))
            return
        self.trouble = ""
        now = time.time()
        self._write("acked", [message], now)
        self.acknowledged += len(message.rows)
        if message.rows:
            self.acknowledge(message.rows[0]["id"], message.sent, now)

    def _write(self, suffix, messages, at=None):
        with (self._books / f"{self.source}.{suffix}.jsonl").open("a", encoding="utf-8") as book:
            for message in messages:
                for row in message.rows:
                    book.write(json.dumps({**row, "at": round(at or message.sent or time.time(), 3)}) + "\n")


class Message:
    def __init__(self, made):
        self.control_id = made["control_id"]
        self.text = base64.b64decode(made["message"])
        self.rows = made["rows"]
        self.sent = 0.0     # Unix seconds of the first attempt
