"""The live view: a picture on a terminal, a plain line every few seconds elsewhere."""
import collections
import shutil
import sys
import threading
import time

WIPE, HOME, TO_END, REST = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"
BOLD, DIM, RED, GREEN, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[0m"


def percentile(values, share):
    """Nearest rank; None without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def milliseconds(value):
    if value is None:
        return "–"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


class View(threading.Thread):
    def __init__(self, stack, ward, out=sys.stdout):
        super().__init__(name="view", daemon=True)
        self._stack, self._ward, self._out = stack, ward, out
        self._ansi = out.isatty()
        self._events = collections.deque(maxlen=10)
        self._start = time.monotonic()
        self._last = (self._start, 0)
        self._rate = 0.0
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self.heading = "running; Ctrl-C ends it in order"

    @property
    def seconds(self):
        return time.monotonic() - self._start

    def announce(self, text):
        """Something happened that the onlooker must see."""
        with self._lock:
            self._events.append((self.seconds, text))
            if not self._ansi:
                self._write(f"{self.seconds:5.1f}s ** {text}\n")

    def run(self):
        if self._ansi:
            self._write(WIPE)
        while not self._ending.wait(0.25 if self._ansi else 2.0):
            self.show()

    def show(self):
        with self._lock:
            facts = self._facts()
            self._write(self._picture(facts) if self._ansi else self._line(facts))

    def end(self):
        self._ending.set()
        self.join(timeout=3)
        self.show()

    def _write(self, text):
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):
            pass  # the reader of our output went away; the run goes on

    def _facts(self):
        status, ward = self._stack.uplink_status(), self._ward
        now, count = time.monotonic(), ward.acknowledged
        if now - self._last[0] >= 1.0:
            self._rate = (count - self._last[1]) / (now - self._last[0])
            self._last = (now, count)
        acks, arrivals = ward.ack_latencies(), list(ward.hub_latencies)
        return {
            "in": count, "rate": self._rate, "delivered": ward.delivered,
            "queued": self._stack.queued_records(),
            "ack50": milliseconds(percentile(acks, 0.50)), "ack99": milliseconds(percentile(acks, 0.99)),
            "hub50": milliseconds(percentile(arrivals, 0.50)), "hub99": milliseconds(percentile(arrivals, 0.99)),
            "age": self._stack.token_age(), "renewals": self._stack.renewals(),
            "trouble": ward.trouble,
            "beds": [(sender.source, sender.speaks, sender.acknowledged) for sender in ward.patients],
            "connected": bool(status.get("connected")),
            "tls": status.get("tls", {}).get("version", ""),
            "restarts": {name: part.restarts for name, part in self._stack.parts.items() if part.restarts},
        }

    def _line(self, facts):
        age = "–" if facts["age"] is None else f'{facts["age"]:.0f}s'
        return (f'{self.seconds:5.1f}s in={facts["in"]} ({facts["rate"]:.0f}/s) queued={facts["queued"]} '
                f'delivered={facts["delivered"]} ack p50/p99={facts["ack50"]}/{facts["ack99"]} '
                f'hub p50/p99={facts["hub50"]}/{facts["hub99"]} token age={age} renewals={facts["renewals"]} '
                f'link={"up" if facts["connected"] else "down"}'
                f'{" trouble: " + facts["trouble"] if facts["trouble"] else ""}\n')

    def _picture(self, facts):
        link = f"{GREEN}up{PLAIN}" if facts["connected"] else f"{RED}down{PLAIN}"
        age = "–" if facts["age"] is None else f'{facts["age"]:.0f} s'
        restarts = ", ".join(f"{name} ×{count}" for name, count in facts["restarts"].items()) or "none"
        rows = [
            f"{BOLD}Mitral{PLAIN}  {self.seconds:6.1f} s  {DIM}{self.heading}{PLAIN}", "",
            f"  4 monitors ─▶ intake ─▶ spool ─▶ uplink ═▶ hub     link {link} {facts['tls']}", "",
            *(f"  {source:<8} {count:>18,}   {speaks}" for source, speaks, count in facts["beds"]), "",
            f"  readings in      {facts['in']:>10,}   {facts['rate']:.0f}/s, acknowledged after the disk has them",
            f"  queued on disk   {facts['queued']:>10,}   records",
            f"  delivered        {facts['delivered']:>10,}   redelivered {self._ward.books.redelivered:,}", "",
            f"  latency          {'p50':>10}{'p99':>12}",
            f"    sensor ack     {facts['ack50']:>10}{facts['ack99']:>12}",
            f"    sensor to hub  {facts['hub50']:>10}{facts['hub99']:>12}", "",
            f"  token age        {age:>10}   renewals {facts['renewals']}",
            f"  restarts         {restarts}",
            f"  held up          {facts['trouble'] or 'nobody'}", "",
        ]
        rows += [f"  {self._colour(text)}{seconds:6.1f} s  {text}{PLAIN}" for seconds, text in self._events]
        width = shutil.get_terminal_size().columns
        return HOME + "".join((row if "\x1b" in row else row[:width]) + TO_END + "\n" for row in rows) + REST

    @staticmethod
    def _colour(text):
        return RED if text.startswith("FAULT") else DIM
