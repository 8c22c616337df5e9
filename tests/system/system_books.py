"""The ledger's own test: it must find what was dropped, altered, doubled, invented or left in a gap.

The messages here are made by hand from the published formats; no gateway runs.
"""
import base64
import json
import os
import pathlib
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "scripts/demo"))
import cbor2  # noqa: E402
import decode  # noqa: E402
import ledger  # noqa: E402
from support.proves import main, proves  # noqa: E402

BASE = 1_767_225_600_000


def log_line(offset, mid, schema, body):
    return {"offset": offset, "device": "unit-1", "mid": mid, "enqueued": "2026-01-01T00:00:09.000Z",
            "properties": {"schema": schema}, "body": base64.b64encode(body).decode()}


def vitals(offset, rows, mid=None):
    """rows: (id, text of the cell)."""
    cells = ",".join(f'["{control_id}",0,12,"synchronised","zone-stated",{cell}]' for control_id, cell in rows)
    body = (f'{{"schema":"mitral.vitals/1","source":"bed-1","base_time":{BASE},"columns":'
            f'[{{"index":0,"code":"MDC_ECG_HEART_RATE","mdc":147842,"unit":"/min"}}],"rows":[{cells}]}}')
    return log_line(offset, mid or f"lines-vitals-00-{offset}", "mitral.vitals/1", body.encode())


def wave(offset, control_id, delta, count):
    body = {"schema": "mitral.wave/1", "source": "bed-1", "base_time": BASE, "blocks": [
        {"id": control_id, "index": 0, "code": "ECG", "unit": "mV", "rate": [25, 1], "scale": [438, -6],
         "time": 0, "device_clock": "zone-stated", "received": 5, "clock": "synchronised", "count": count,
         "delta": delta}]}
    return log_line(offset, f"lines-waves-00-{offset}", "mitral.wave/1", cbor2.dumps(body))


def gap(offset, first, last, lane="vitals"):
    body = {"schema": "mitral.gap/1", "lane": lane, "stream": "00", "first": first, "last": last,
            "first_written": "2026-01-01T00:00:01.000Z", "last_written": "2026-01-01T00:00:08.000Z",
            "reason": "bound-reached"}
    return log_line(offset, f"lines-{lane}-00-gap-{first}", "mitral.gap/1", json.dumps(body).encode())


class Books(unittest.TestCase):
    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.path = pathlib.Path(self._directory.name)
        self.promise("r-1", decode.value_content("62.80"))
        self.promise("r-2", decode.absent_content("not-measured"))
        self.promise("r-3", decode.value_content("120"))
        self.log = [vitals(0, [("r-1", "62.80"), ("r-2", '"not-measured"')]), vitals(1, [("r-3", "120")])]

    def promise(self, control_id, content, book="acked", lane="vitals", code="MDC_ECG_HEART_RATE", unit="/min"):
        row = {"source": "bed-1", "id": control_id, "index": 0, "lane": lane, "at": BASE / 1000 + 5,
               "hash": decode.digest(code, unit, content, BASE)}
        with (self.path / f"bed-1.{book}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def balance(self, queued=0):
        return ledger.balance(self.path, self.log, queued)

    def expect(self, **wanted):
        report = self.balance(wanted.pop("with_queue", 0))
        base = {"sent": 3, "delivered": 3, "queued": 0, "gaps": 0, "lost": 0, "altered": 0, "redelivered": 0}
        self.assertEqual({**base, **wanted}, {name: getattr(report, name) for name in base}, report.examples)
        self.assertEqual(report.balanced, not any(wanted.get(name) for name in ("queued", "gaps", "lost", "altered")))
        return report

    def test_a_complete_log_balances(self):
        report = self.expect()
        self.assertEqual("ledger: sent=3 delivered=3 queued=0 gaps=0 lost=0 altered=0 redelivered=0", report.line())

    def test_nothing_sent_is_no_proof(self):
        for path in self.path.iterdir():
            path.unlink()
        self.log.clear()
        self.assertFalse(self.balance().balanced)

    @proves("T-DATA-01")
    def test_a_dropped_message_is_found(self):
        self.log.pop()
        self.expect(delivered=2, lost=1)

    @proves("T-DATA-01")
    def test_a_dropped_row_is_found(self):
        self.log[0] = vitals(0, [("r-1", "62.80")])
        self.expect(delivered=2, lost=1)

    @proves("T-DATA-02")
    def test_an_altered_value_is_found(self):
        self.log[1] = vitals(1, [("r-3", "121")])
        self.expect(altered=1)

    @proves("T-DATA-02", "T-DATA-05")
    def test_lost_precision_is_an_alteration(self):
        self.log[0] = vitals(0, [("r-1", "62.8"), ("r-2", '"not-measured"')])
        self.expect(altered=1)

    @proves("T-DATA-05")
    def test_a_zero_for_an_absence_is_an_alteration(self):
        self.log[0] = vitals(0, [("r-1", "62.80"), ("r-2", "0")])
        self.expect(altered=1)

    def test_another_unit_code_or_time_is_an_alteration(self):
        original = self.log[0]["body"]
        for old, new in ((b'"/min"', b'"/s"'), (b"HEART_RATE", b"HEART_RAT2"), (b'"r-1",0,', b'"r-1",1,')):
            self.log[0]["body"] = base64.b64encode(base64.b64decode(original).replace(old, new)).decode()
            self.assertGreaterEqual(self.balance().altered, 1, new)

    def test_a_redelivery_is_counted_and_harmless(self):
        self.log.append(dict(self.log[0], offset=2, dup=True))
        self.expect(redelivered=2)

    def test_a_redelivery_under_another_message_id_is_counted(self):
        self.log.append(vitals(2, [("r-3", "120")]))
        self.expect(redelivered=1)

    @proves("T-DATA-02")
    def test_one_altered_copy_of_two_is_found(self):
        self.log.append(vitals(2, [("r-3", "12")], mid="lines-vitals-00-9"))
        self.expect(altered=1, redelivered=1)

    @proves("T-DATA-02")
    def test_one_message_id_with_two_contents_is_found(self):
        self.log.append(vitals(2, [("r-3", "120")], mid="lines-vitals-00-0"))
        self.expect(altered=1, redelivered=1)

    @proves("T-DATA-05")
    def test_an_invented_observation_is_found(self):
        self.log.append(vitals(2, [("r-9", "60")]))
        self.assertEqual(1, self.expect(altered=1).invented)

    def test_a_line_without_answer_may_arrive(self):
        self.promise("r-9", decode.value_content("60"), book="pending")
        self.log.append(vitals(2, [("r-9", "60")]))
        self.expect()

    def test_a_gap_accounts_for_its_records_and_no_more(self):
        self.log[0] = gap(0, 1, 1)
        self.expect(delivered=1, gaps=1, lost=1)
        self.log[0] = gap(0, 1, 2)
        self.expect(delivered=1, gaps=2)

    def test_a_gap_of_another_lane_explains_nothing(self):
        self.log[1] = gap(1, 3, 3, lane="waves")
        self.expect(delivered=2, lost=1)

    def test_the_queue_accounts_for_the_newest(self):
        self.log.pop()
        self.expect(delivered=2, queued=1, with_queue=5)

    def test_waves_are_decoded_and_compared(self):
        content = decode.wave_content("250", "0.000438", [-26, -18, 13])
        self.promise("w-1", content, lane="waves", code="ECG", unit="mV")
        self.log.append(wave(2, "w-1", bytes([51, 16, 62]), 3))
        self.expect(sent=4, delivered=4)
        self.log[-1] = wave(2, "w-1", bytes([51, 16, 60]), 3)
        self.expect(sent=4, delivered=4, altered=1)

    def test_malformed_messages_are_alterations(self):
        good = self.log[1]
        for body in (b"", b"{", b"[]", b'{"schema":"mitral.vitals/1"}', base64.b64decode(good["body"])[:-3],
                     base64.b64decode(good["body"]).replace(b"120", b"NaN"),
                     base64.b64decode(good["body"]).replace(b",120", b""),
                     base64.b64decode(good["body"]).replace(b"zone-stated", b"sure"),
                     base64.b64decode(good["body"]).replace(b'"zone-stated"', b"null"),
                     base64.b64decode(good["body"]).replace(b'"base_time"', b'"subject":"Jane Doe","base_time"')):
            self.log[1] = dict(good, body=base64.b64encode(body).decode())
            report = self.balance()
            self.assertEqual((1, 1), (report.malformed, report.lost), body)
        self.log[1] = wave(1, "w-1", bytes([0x80] * 11), 1)
        self.assertEqual(1, self.balance().malformed)
        self.log[1] = log_line(1, "m", "somebody.else/1", b"{}")
        self.assertEqual(1, self.balance().malformed)


if __name__ == "__main__":
    main()
