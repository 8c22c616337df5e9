"""One simulated patient: replays a recording over its own connection in mitral.lines/1.

It keeps its own book: an observation is written to <source>.acked.jsonl when, and only when, the
gateway answered `ok` for its line. Lines without an answer are sent again after a reconnect, as any
adapter must do.
"""
import collections
import dataclasses
import json
import pathlib
import select
import socket
import threading
import time

import clock
import decode
import recording
from sender import MAX_TIMED, Sender

MAX_BATCH = 16      # lines
BATCH_S = 0.25      # a batch is ended this long after it began
UNAMBIGUOUS = ("/min", "%")  # pressures also come in kPa: their unit must be said


@dataclasses.dataclass(eq=False)
class Line:
    control_id: str
    text: bytes
    observations: list          # of (index, lane, digest)
    sent_at: float = 0.0        # Unix seconds of the first attempt
    asked_at: float = 0.0       # when an answer was first due: sent, or its batch ended
    refused: bool = False
    later: bool = False


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a patient behaves."""
    source: str
    acknowledge: str = "line"   # or "batch"
    interval_s: float = 0.05    # between lines; 0: as fast as acknowledgements allow
    window: int = 32            # lines on the way at once
    wave_every: int = 0         # a wave line after so many numeric lines; 0: none
    extra_digit: bool = False   # "62.80" for "62.8": the precision must survive
    omit_known_unit: bool = False  # leave the unit to the gateway's table
    first_row: int = 0
    max_lines: int = 0          # 0: until stopped


class Patient(Sender, threading.Thread):
    def __init__(self, plan, socket_path, book_directory, rows, waves):
        Sender.__init__(self, plan.source)
        threading.Thread.__init__(self, name=plan.source, daemon=True)
        self.plan = plan
        self.offered = 0
        self.trouble = ""           # why nothing is acknowledged at the moment
        self.reconnects = 0
        self._socket_path = str(socket_path)
        self._rows, self._waves = rows, waves
        self._book = pathlib.Path(book_directory)
        self._stopping = threading.Event()
        self._deadline = None
        self._serial = 0
        self._outstanding = collections.deque()   # sent on this connection, in order
        self._again = collections.deque()         # to be sent (again)

    # -- control -------------------------------------------------------------------------------
    def stop(self, wait_s=30.0):
        """No new lines; what is on the way is still brought home until the deadline."""
        self._deadline = time.monotonic() + wait_s
        self._stopping.set()

    @property
    def outstanding(self):
        return len(self._outstanding) + len(self._again)

    def run(self):
        self._book.mkdir(parents=True, exist_ok=True)
        with (self._book / f"{self.plan.source}.acked.jsonl").open("a", encoding="utf-8") as book:
            while not self._done():
                try:
                    self._session(book)
                except OSError as error:
                    self.trouble = str(error)
                    self.reconnects += 1
                    self._again = collections.deque([*self._outstanding, *self._again])
                    self._outstanding.clear()
                    time.sleep(0.1)
        self._write_pending()
        self.finished.set()

    def _done(self):
        return self._exhausted() and (self.outstanding == 0 or self._too_late())

    def _exhausted(self):
        return self._stopping.is_set() or (0 < self.plan.max_lines <= self._serial)

    def _too_late(self):
        return self._deadline is not None and time.monotonic() > self._deadline

    # -- one connection ------------------------------------------------------------------------
    def _session(self, book):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(20)
            link.connect(self._socket_path)
            header = {"schema": "mitral.lines/1", "source": self.plan.source, "ack": self.plan.acknowledge}
            link.sendall(json.dumps(header).encode() + b"\n")
            connection = _Connection(link, self.plan.acknowledge == "batch")
            next_send = time.monotonic()
            while not self._done():
                next_send = self._fill(connection, next_send)
                connection.end_batch(force=self._exhausted() or self._full())
                for verb, number, reason in connection.replies(self._patience(next_send)):
                    self._take_reply(connection, book, verb, number, reason)

    def _full(self):
        return len(self._outstanding) >= self.plan.window

    def _fill(self, connection, next_send):
        """Sends what the window and the pace allow; returns when the next line is due."""
        while self._again and not self._full():
            self._send(connection, self._again.popleft())
        now = time.monotonic()
        while not self._again and not self._exhausted() and now >= next_send and not self._full():
            self._send(connection, self._next_line())
            next_send = max(next_send + self.plan.interval_s, now - 1.0)
        return next_send

    def _patience(self, next_send):
        if self._full() or self._exhausted():
            return 0.1
        return max(0.0, min(0.1, next_send - time.monotonic()))

    def _send(self, connection, line):
        line.later = False
        if not line.sent_at:
            line.sent_at = time.time()
            self.offered += len(line.observations)
            if len(self.sent_times) < MAX_TIMED:
                self.sent_times[line.control_id] = line.sent_at
        # On the list before it is on the wire: a failing send must leave it to be sent again.
        self._outstanding.append(line)
        connection.send(line)

    def _take_reply(self, connection, book, verb, number, reason):
        if verb == "no":
            connection.line(number).refused = True
            self.refused.append((connection.line(number).control_id, reason))
        elif verb == "later":
            connection.line(number).later = True
            self.trouble = f"later: {reason}"
        else:
            self._settle(connection.settle(number), book)

    def _settle(self, lines, book):
        now = time.time()
        put_off = False
        for line in lines:
            self._outstanding.remove(line)
            if line.later:
                self._again.append(line)
                put_off = True
            elif not line.refused:
                self._write(book, line, now)
        book.flush()
        if put_off:
            time.sleep(0.2)

    def _write(self, book, line, now):
        self.trouble = ""
        self.ack_latencies.append((now - line.asked_at) * 1000)
        self.acknowledged += len(line.observations)
        for index, lane, digest in line.observations:
            book.write(_book_row(self.plan.source, line.control_id, index, lane, digest, now))

    def _write_pending(self):
        with (self._book / f"{self.plan.source}.pending.jsonl").open("a", encoding="utf-8") as book:
            for line in [*self._outstanding, *self._again]:
                for index, lane, digest in line.observations:
                    book.write(_book_row(self.plan.source, line.control_id, index, lane, digest, line.sent_at))

    # -- lines ---------------------------------------------------------------------------------
    def _next_line(self):
        self._serial += 1
        stamp_ms = int(time.time() * 1000)
        every = self.plan.wave_every
        if every and self._serial % (every + 1) == 0:
            return self._wave_line(stamp_ms)
        return self._numeric_line(stamp_ms)

    def _numeric_line(self, stamp_ms):
        row = self._rows[(self.plan.first_row + self._serial) % len(self._rows)]
        parts, observations = [], []
        for index, (code, unit, text) in enumerate(row):
            if text is not None and self.plan.extra_digit and "." in text:
                text += "0"
            said = '"absent":"not-measured"' if text is None else f'"value":{text}'
            if not (self.plan.omit_known_unit and unit in UNAMBIGUOUS):
                said += f',"unit":"{unit}"'
            parts.append(f'{{"code":"{code}",{said}}}')
            content = decode.absent_content("not-measured") if text is None else decode.value_content(text)
            observations.append((index, "vitals", decode.digest(code, unit, content, stamp_ms)))
        return self._line("n", stamp_ms, f'"obs":[{",".join(parts)}]', observations)

    def _wave_line(self, stamp_ms):
        block = self._waves[self._serial // (self.plan.wave_every + 1) % len(self._waves)]
        parts, observations = [], []
        for index, (code, unit, scale, samples) in enumerate(block):
            numbers = ",".join(map(str, samples))
            parts.append(f'{{"code":"{code}","unit":"{unit}","rate":{recording.WAVE_RATE},'
                         f'"scale":{scale},"samples":[{numbers}]}}')
            content = decode.wave_content(recording.WAVE_RATE, scale, samples)
            observations.append((index, "waves", decode.digest(code, unit, content, stamp_ms)))
        return self._line("w", stamp_ms, f'"waves":[{",".join(parts)}]', observations)

    def _line(self, kind, stamp_ms, content, observations):
        control_id = f"{kind}-{self._serial:07d}"
        text = f'{{"id":"{control_id}","time":"{clock.iso(stamp_ms)}",{content}}}\n'
        return Line(control_id, text.encode(), observations)


class _Connection:
    """Counts reading lines of one connection and takes replies apart."""

    def __init__(self, link, batch):
        self._link, self._batch = link, batch
        self._lines = {}
        self._unasked = []
        self._sent = self._settled = 0
        self._batch_due = 0.0
        self._tail = b""

    def send(self, line):
        self._sent += 1
        self._lines[self._sent] = line
        self._link.sendall(line.text)
        self._unasked.append(line)
        if not self._batch:
            self._ask()
        elif len(self._unasked) == 1:
            self._batch_due = time.monotonic() + BATCH_S
        self.end_batch(force=len(self._unasked) >= MAX_BATCH)

    def end_batch(self, force):
        if self._unasked and (force or time.monotonic() >= self._batch_due):
            self._link.sendall(b"\n")
            self._ask()

    def _ask(self):
        now = time.time()
        for line in self._unasked:
            line.asked_at = line.asked_at or now
        self._unasked.clear()

    def line(self, number):
        if number not in self._lines:
            raise ConnectionError(f"a reply for line {number}, which is not on the way")
        return self._lines[number]

    def settle(self, number):
        if number > self._sent or number < self._settled:
            raise ConnectionError(f"ok {number} out of order")
        lines = [self._lines.pop(n) for n in range(self._settled + 1, number + 1)]
        self._settled = number
        return lines

    def replies(self, wait):
        if not select.select([self._link], [], [], wait)[0]:
            return []
        data = self._link.recv(65536)
        if not data:
            raise ConnectionError("the gateway closed the connection")
        *lines, self._tail = (self._tail + data).split(b"\n")
        return [_reply(line.decode("utf-8", "replace")) for line in lines]


def _reply(text):
    verb, _, rest = text.partition(" ")
    number, _, reason = rest.partition(" ")
    if verb not in ("ok", "no", "later") or not number.isdigit():
        raise ConnectionError(f"not a reply: {text!r}")
    if verb == "no" and number == "0":
        raise ConnectionError(f"header refused: {reason}")
    return verb, int(number), reason


def _book_row(source, control_id, index, lane, digest, at):
    return (f'{{"source":"{source}","id":"{control_id}","index":{index},"lane":"{lane}",'
            f'"hash":"{digest}","at":{at:.3f}}}\n')
