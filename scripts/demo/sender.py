"""What a ward knows of a sender, however its messages travel."""
import collections
import threading

MAX_TIMED = 50_000


class Sender:
    def __init__(self, source, speaks=""):
        self.source = source
        self.speaks = speaks     # for the onlooker: in which way its messages come
        self.ack_latencies = collections.deque(maxlen=4000)  # milliseconds
        self.sent_times = {}     # control id -> Unix seconds, until the hub has it
        self.acknowledged = 0    # observations
        self.refused = []        # (control id, reason)
        self.finished = threading.Event()

    def acknowledge(self, control_id, sent, acked):
        """Notes the times (Unix seconds) of a message that was acknowledged."""
        self.ack_latencies.append((acked - sent) * 1000)
        if len(self.sent_times) < MAX_TIMED:
            self.sent_times[control_id] = sent
