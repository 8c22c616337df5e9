#!/usr/bin/python3
"""The real mitral-intake-hl7 with pseudonyms from a real vault: whose a reading is, and nothing that says who."""
import base64
import hmac
import os
import signal
import struct
import subprocess
import sys
import unittest

from support.proves import main, proves

READ_SPOOL = sys.argv.pop(1)

from hl7_gateway import BINARY, GatewayTest, frame, report  # noqa: E402

GatewayTest.READ_SPOOL = READ_SPOOL


def private_file(path, data):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


class Subjects(GatewayTest):
    KEY = os.urandom(32)

    def start_with(self, subject_key):
        path = self.gateway.path
        pem = openssl("genpkey", "-algorithm", "ed25519")
        private_file(path / "station.key", pem)
        public = openssl("pkey", "-pubout", "-outform", "DER", given=pem)[-32:]
        (path / "station.pub").write_text(base64.b64encode(public).decode())
        private_file(path / "group.key", base64.b64encode(os.urandom(64)))
        private_file(path / "subject.key", base64.b64encode(self.KEY))
        self.start(settings="pseudonyms = true")
        (path / "vault.toml").write_text(f'[vault]\nsocket = "{path}/vault.sock"\nbackend = "software"\n'
                                         f'station_key = "{path}/station.pub"\n')
        subprocess.run([BINARY / "mitral", "provision", "--config", path / "vault.toml", "--station-key",
                        path / "station.key", "--group-key-file", path / "group.key", "--id-scope", "0ne000A0A0A",
                        "--registration-id", "dev-01", "--dps-host", "dps.example", "--hub", "hub.example",
                        *(["--subject-key", path / "subject.key"] if subject_key else [])],
                       check=True, capture_output=True)

    def subject(self, patient, authority="HOSP"):
        mac = hmac.digest(self.KEY, b"mitral subject 1\0" + struct.pack(">H", len(authority)) + authority.encode()
                          + patient.encode(), "sha256")
        return "subject=" + base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")

    def send(self, monitor, control_id, patient=None):
        """A report, of this patient: the segment PID stands behind MSH."""
        message = report(control_id)
        if patient:
            head, rest = message.split(b"\r", 1)
            message = head + f"\rPID|||{patient}||DOE^JANE^^^^^L\r".encode() + rest
        monitor.send(frame(message))
        self.assertEqual(monitor.verdict(), ("AA", control_id))

    def subjects(self):
        """Of each reading in the spool, in order; None: without."""
        return [line.split()[2] if "subject=" in line else None for line in self.gateway.spooled()]

    @proves("T-MON-05", "T-DATA-06", "T-KEY-04")
    def test_a_reading_says_whose_it_is_by_the_hospitals_pseudonym(self):
        self.start_with(subject_key=True)
        monitor = self.monitor()
        self.send(monitor, "1", "471100815^^^HOSP^PI")
        self.send(monitor, "2", "471200815^^^HOSP^PI")
        self.send(monitor, "3", "471100815^^^HOSP&1.2.3&ISO^PI~99999^^^CITY")
        self.send(monitor, "4", "471100815^^^CITY^PI")
        self.send(monitor, "5")
        status = self.counted(lambda status: status["messages"] == 5)
        self.assertEqual(status["not_understood"].get("subjects", 0), 0)
        first, second = self.subject("471100815"), self.subject("471200815")
        self.assertEqual(self.subjects(), [first, second, first, self.subject("471100815", "CITY"), None])
        for path in self.gateway.path.rglob("*"):
            if path.is_file():
                for said in (b"471100815", b"DOE", b"JANE"):
                    self.assertNotIn(said, path.read_bytes(), path)

    @proves("T-DOS-04")
    def test_without_a_key_readings_go_without_and_are_counted(self):
        self.start_with(subject_key=False)
        monitor = self.monitor()
        self.send(monitor, "1", "471100815^^^HOSP^PI")
        self.send(monitor, "2", "471100815^^^HOSP^PI")
        status = self.counted(lambda status: status["messages"] == 2)
        self.assertEqual(status["not_understood"]["subjects"], 2)
        self.logged("pseudonyms-unavailable")
        self.assertEqual(self.gateway.log("mitral-vault").count("operation=pseudonym"), 1)  # then it is left alone
        self.assertEqual(self.subjects(), [None, None])

    @proves("T-DOS-04", "T-PHY-03")
    def test_a_vault_that_hangs_does_not_hold_acquisition_up(self):
        self.start_with(subject_key=True)
        monitor = self.monitor()
        self.send(monitor, "1", "471100815^^^HOSP^PI")
        vault = self.gateway.running["mitral-vault"]
        vault.send_signal(signal.SIGSTOP)
        try:
            for number in range(2, 30):
                self.send(monitor, str(number), f"{number}^^^HOSP^PI")
            self.send(monitor, "30", "471100815^^^HOSP^PI")
        finally:
            vault.send_signal(signal.SIGCONT)
        self.assertEqual(self.subjects(), [self.subject("471100815"), *[None] * 28, self.subject("471100815")])


if __name__ == "__main__":
    main()
