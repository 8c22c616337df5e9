"""Steady senders, and what the gateway owes them: every reading it said ok to."""
import dataclasses
import threading
import time

import clock
import decode
import hub
import ledger
import recording
from patient import Patient, Plan

QUIET_S = 0.05       # between the lines of a sender
PLANS = (Plan("bed-1", acknowledge="line", interval_s=QUIET_S, wave_every=9, window=64),
         Plan("bed-2", acknowledge="batch", interval_s=QUIET_S, first_row=700, extra_digit=True))


class Sender(Patient):
    """A patient that also tells the ward what was acknowledged, at once."""

    def __init__(self, ward, *arguments):
        super().__init__(*arguments)
        self._ward = ward

    @property
    def serial(self):
        return self._serial

    def hurry(self, interval_s):
        self.plan = dataclasses.replace(self.plan, interval_s=interval_s)

    def _write(self, book, line, now):
        super()._write(book, line, now)
        self._ward.acknowledged(self.plan.source, line, now)


class Books(ledger.Ledger):
    """The gateway's clock is set back and forth here: a gap's times count only where the true time has been."""

    def __init__(self):
        super().__init__()
        self._begun = time.time()

    def take(self, line):
        found = super().take(line)
        for gap in found:
            if isinstance(gap, decode.Gap):
                self.gaps.discard((line.get("device"), gap))
                self.gaps.add((line.get("device"), dataclasses.replace(
                    gap, first_written=self._possible(gap.first_written),
                    last_written=self._possible(gap.last_written))))
        return found

    def _possible(self, moment):
        true = moment is not None and self._begun - 1 <= clock.unix_seconds(moment) <= time.time() + 1
        return moment if true else None


class Ward:
    """The senders, the hub's log, and the open account between them."""

    def __init__(self, place, azure, data):
        rows, waves = recording.numerics(data), recording.wave_blocks(data, samples_per_block=100)
        self.senders = [Sender(self, plan, place.lines_socket, place.books, rows, waves) for plan in PLANS]
        self.books = Books()
        self._books_of = place.books
        self._owed = {}          # identity -> ledger.Sent: acknowledged, not seen at the hub yet
        self._latest = {}        # source -> highest number acknowledged
        self._lock = threading.Lock()
        self._tail = hub.LogTail(azure, self._take)

    def start(self):
        self._tail.start()
        for sender in self.senders:
            sender.start()

    def end(self, wait_s):
        """No new lines; False when some were never acknowledged."""
        for sender in self.senders:
            sender.stop(wait_s)
        return all(sender.finished.wait(wait_s + 5) for sender in self.senders)

    def end_tail(self):
        self._tail.end()

    def acknowledged(self, source, line, now):
        with self._lock:
            self._latest[source] = max(self._latest.get(source, 0), _number(line.control_id))
            for index, lane, digest in line.observations:
                identity = (source, line.control_id, index)
                if identity not in self.books.received:
                    self._owed[identity] = ledger.Sent(digest, lane, now)

    def _take(self, line):
        with self._lock:
            for item in self.books.take(line):
                if isinstance(item, decode.Observation):
                    self._owed.pop(item.identity, None)

    # -- questions -----------------------------------------------------------------------------
    def marks(self):
        """Where each sender is: what comes behind it was offered after now."""
        return {sender.plan.source: sender.serial for sender in self.senders}

    def acknowledged_beyond(self, marks):
        with self._lock:
            return all(self._latest.get(source, 0) > mark for source, mark in marks.items())

    def owed(self, marks):
        """Readings up to `marks` and the first behind them that have not arrived and that no gap explains."""
        with self._lock:
            old = {identity: sent for identity, sent in self._owed.items()
                   if _number(identity[1]) <= marks[identity[0]] + 1}
            return self.books.unexplained(old) if old else {}

    def gaps(self):
        with self._lock:
            return {gap for _device, gap in self.books.gaps}

    def totals(self):
        acknowledged, pending = ledger.read_sent(self._books_of)
        with self._lock:
            return self.books.report(acknowledged, pending)


def _number(control_id):
    return int(control_id.partition("-")[2])
