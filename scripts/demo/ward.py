"""The senders of one run and what is known of their readings: promised to sensors, seen at the hub."""
import collections
import threading

import clock
import decode
import hub
import ledger
import recording
from patient import Patient, Plan

PATIENTS = (
    Plan("bed-1", acknowledge="line", interval_s=0.04),
    Plan("bed-2", acknowledge="batch", interval_s=0.03, first_row=300, extra_digit=True),
    Plan("bed-3", acknowledge="line", interval_s=0.05, first_row=800, wave_every=5),
    Plan("bed-4", acknowledge="batch", interval_s=0.04, first_row=1400, omit_known_unit=True),
)


def patients(stack, data_directory, plans=PATIENTS):
    """Senders of mitral.lines/1."""
    rows, waves = recording.numerics(data_directory), recording.wave_blocks(data_directory)
    return [Patient(plan, stack.layout.lines_socket, stack.layout.books, rows, waves) for plan in plans]


class Ward:
    def __init__(self, stack, senders):
        self.patients = senders
        self.hub_latencies = collections.deque(maxlen=4000)   # milliseconds, sensor to hub
        self.books = ledger.Ledger()
        self._by_source = {patient.source: patient for patient in self.patients}
        self._lock = threading.Lock()
        self._tail = hub.LogTail(stack.hub, self._take)

    def start(self):
        self._tail.start()
        for patient in self.patients:
            patient.start()

    def _take(self, line):
        """One message as the hub logged it."""
        with self._lock:
            found = self.books.take(line)
        enqueued = clock.unix_seconds(line["enqueued"])
        for item in found:
            if isinstance(item, decode.Observation) and item.source in self._by_source:
                sent = self._by_source[item.source].sent_times.pop(item.control_id.partition(".")[0], None)
                if sent is not None:
                    self.hub_latencies.append((enqueued - sent) * 1000)

    def stop(self, wait_s=30.0):
        """No new readings; waits until what is on the way is acknowledged or the time is up."""
        for patient in self.patients:
            patient.stop(wait_s)
        for patient in self.patients:
            patient.finished.wait(wait_s + 5)

    def end(self):
        self._tail.end()

    @property
    def running(self):
        return any(not patient.finished.is_set() for patient in self.patients)

    @property
    def acknowledged(self):
        return sum(patient.acknowledged for patient in self.patients)

    @property
    def delivered(self):
        return len(self.books.received)

    @property
    def refused(self):
        return [refusal for patient in self.patients for refusal in patient.refused]

    @property
    def trouble(self):
        """What holds a patient up at the moment, in words; empty when nothing does."""
        return next((f"{patient.source}: {patient.trouble}" for patient in self.patients if patient.trouble), "")

    def ack_latencies(self):
        return [value for patient in self.patients for value in list(patient.ack_latencies)]

    def all_arrived(self, queued_records):
        """Every acknowledged observation was seen at the hub; with gaps, the queue has to say so."""
        with self._lock:
            return self.delivered >= self.acknowledged or bool(self.books.gaps and queued_records == 0)
