#!/usr/bin/python3
"""The ledger: what was acknowledged to the sensors against what the hub received.

    ledger.py --sent DIR --log URL-or-FILE

DIR holds the senders' own acknowledgement logs (<source>.acked.jsonl, and <source>.pending.jsonl for
lines that were never answered); URL is the hub's message log, such as http://127.0.0.1:PORT/log.
Nothing here comes from the gateway: a gateway cannot keep its own books.

Exit status 0: everything that was acknowledged was delivered, unaltered.
"""
import argparse
import dataclasses
import json
import pathlib
import sys
import urllib.error
import urllib.request

import clock
import decode

WINDOW_S = 2.0  # how far a sender's clock reading of "acknowledged" may lie from a gap's times


@dataclasses.dataclass
class Report:
    sent: int = 0
    delivered: int = 0
    queued: int = 0
    gaps: int = 0
    lost: int = 0
    altered: int = 0
    redelivered: int = 0
    malformed: int = 0      # messages no decoder accepts; counted as altered too
    invented: int = 0       # observations nobody sent; counted as altered too
    messages: int = 0
    examples: list = dataclasses.field(default_factory=list)

    @property
    def balanced(self):
        """Everything arrived; nothing at all is no proof of that."""
        return (self.sent == self.delivered > 0 and self.queued == 0 and self.gaps == 0
                and self.lost == 0 and self.altered == 0)

    def line(self):
        return (f"ledger: sent={self.sent} delivered={self.delivered} queued={self.queued} "
                f"gaps={self.gaps} lost={self.lost} altered={self.altered} "
                f"redelivered={self.redelivered}")

    def note(self, text):
        if len(self.examples) < 10:
            self.examples.append(text)


@dataclasses.dataclass(frozen=True)
class Sent:
    digest: str
    lane: str
    acknowledged: float  # Unix seconds, the sender's clock


def read_sent(directory):
    """(acknowledged, pending) observations by identity."""
    acknowledged, pending = {}, {}
    for suffix, book in (("acked", acknowledged), ("pending", pending)):
        for path in sorted(pathlib.Path(directory).glob(f"*.{suffix}.jsonl")):
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    book[(row["source"], row["id"], row["index"])] = Sent(
                        row["hash"], row["lane"], row["at"])
    return acknowledged, pending


def read_log(where):
    """The hub's message log, line by line, from HTTP or from a file."""
    if where.startswith("http://"):
        with urllib.request.urlopen(where, timeout=60) as answer:
            for line in answer:
                if line.strip():
                    yield json.loads(line)
        return
    with open(where, "rb") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


class Ledger:
    """Takes the hub's messages one by one; report() balances them against what was sent."""

    def __init__(self):
        self.received = {}   # identity -> set of digests seen
        self.lanes = {}
        self.bodies = {}     # (device, mid) -> body, to notice one message id with two contents
        self.gaps = set()
        self._report = Report()

    def take(self, line):
        report = self._report
        report.messages += 1
        key = (line.get("device"), line.get("mid"))
        earlier = self.bodies.setdefault(key, hash(line["body"]))
        if earlier != hash(line["body"]):
            report.altered += 1
            report.note(f"message id {key[1]} came with two contents")
        try:
            found = decode.observations(line)
        except decode.Malformed as error:
            report.malformed += 1
            report.altered += 1
            report.note(f"message {key[1]}: {error}")
            return []
        for item in found:
            if isinstance(item, decode.Gap):
                self.gaps.add((line.get("device"), item))
                continue
            seen = self.received.setdefault(item.identity, set())
            if seen:
                report.redelivered += 1
            seen.add(item.digest)
            self.lanes[item.identity] = item.lane
        return found

    @property
    def redelivered(self):
        return self._report.redelivered

    def report(self, acknowledged, pending, queued_records=0):
        report = dataclasses.replace(self._report, examples=list(self._report.examples))
        report.sent = len(acknowledged)
        self._compare(report, acknowledged, pending)
        missing = {identity: sent for identity, sent in acknowledged.items()
                   if identity not in self.received}
        report.gaps = self._account_gaps(missing)
        report.queued = _account_queue(missing, queued_records)
        report.lost = len(missing)
        for identity in list(missing)[:5]:
            report.note("lost: " + " ".join(map(str, identity)))
        return report

    def unexplained(self, missing):
        """What of `missing` (identity -> Sent) no gap record accounts for."""
        left = dict(missing)
        self._account_gaps(left)
        return left

    def _compare(self, report, acknowledged, pending):
        for identity, digests in self.received.items():
            sent = acknowledged.get(identity)
            if sent is not None:
                report.delivered += 1
            else:
                sent = pending.get(identity)
            if sent is None:
                report.invented += 1
                report.altered += 1
                report.note("nobody sent: " + " ".join(map(str, identity)))
            elif digests != {sent.digest}:
                report.altered += 1
                report.note("altered: " + " ".join(map(str, identity)))

    def _account_gaps(self, missing):
        """Takes out of `missing` what gap records explain: as many records of that lane, acknowledged
        in the time the gap names, as the gap counts. Returns the observations taken out."""
        taken = 0
        for _device, gap in sorted(self.gaps, key=lambda entry: (entry[1].lane, entry[1].first)):
            begin, end = _seconds(gap.first_written, 0.0), _seconds(gap.last_written, float("inf"))
            records = _records(missing, gap.lane)
            inside = [record for record, at in records.items()
                      if begin - WINDOW_S <= at <= end + WINDOW_S]
            taken += _take_out(missing, gap.lane, inside[:gap.last - gap.first + 1])
        return taken


def _account_queue(missing, queued_records):
    """The newest `queued_records` missing records still wait on the gateway's disk."""
    records = sorted(_records(missing, None).items(), key=lambda entry: entry[1], reverse=True)
    return _take_out(missing, None, [record for record, _at in records[:queued_records]])


def _records(missing, lane):
    """One spool record holds what one message of a sender has for one lane."""
    records = {}
    for (source, control_id, _index), sent in missing.items():
        if lane in (None, sent.lane):
            records[(source, control_id, sent.lane)] = sent.acknowledged
    return dict(sorted(records.items(), key=lambda entry: entry[1]))


def _take_out(missing, lane, records):
    chosen = set(records)
    gone = [identity for identity, sent in missing.items()
            if (identity[0], identity[1], sent.lane) in chosen and lane in (None, sent.lane)]
    for identity in gone:
        del missing[identity]
    return len(gone)


def _seconds(iso, unknown):
    if iso is None:
        return unknown
    return clock.unix_seconds(iso)


def balance(sent_directory, log_lines, queued_records=0):
    ledger = Ledger()
    for line in log_lines:
        ledger.take(line)
    acknowledged, pending = read_sent(sent_directory)
    return ledger.report(acknowledged, pending, queued_records)


def main():
    parser = argparse.ArgumentParser(description="Balance what sensors were promised against what the hub got.")
    parser.add_argument("--sent", required=True, metavar="DIR", help="the senders' acknowledgement logs")
    parser.add_argument("--log", required=True, metavar="URL", help="the hub's message log (http://… or a file)")
    parser.add_argument("--queued", type=int, default=0, metavar="N", help="records the gateway says it still holds")
    options = parser.parse_args()
    try:
        report = balance(options.sent, read_log(options.log), options.queued)
    except (OSError, ValueError, urllib.error.URLError) as error:
        sys.exit(f"ledger: cannot read the books: {error}")
    for example in report.examples:
        print(f"  {example}")
    print(report.line())
    sys.exit(0 if report.balanced else 1)


if __name__ == "__main__":
    main()
