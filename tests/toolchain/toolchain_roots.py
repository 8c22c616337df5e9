#!/usr/bin/python3
"""The trust anchors we ship are the ones Azure documents, byte for byte."""
import os
import pathlib
import subprocess
import unittest

from support.proves import main, proves

ROOTS = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"], "share", "roots")
# SHA-256 of the certificate in DER, as Microsoft's "Azure Certificate Authority details" lists them.
FINGERPRINTS = {
    "digicert-global-root-g2.pem": "CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F",
    "microsoft-rsa-root-2017.pem": "C741F70F4B2A8D88BF2E71C14122EF53EF10EBA0CFA5E64CFA20F418853073E0",
}


def fingerprint(pem):
    answer = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=pem, check=True,
                            capture_output=True)
    return answer.stdout.decode().strip().split("=")[1].replace(":", "")


class Roots(unittest.TestCase):
    @proves("T-MITM-01", "CR 1.9")
    def test_fingerprints(self):
        for name, expected in FINGERPRINTS.items():
            with self.subTest(root=name):
                self.assertEqual(fingerprint((ROOTS / name).read_bytes()), expected)

    @proves("T-MITM-01")
    def test_there_is_no_other_root(self):
        self.assertEqual({path.name for path in ROOTS.iterdir()}, set(FINGERPRINTS))
        for path in ROOTS.iterdir():
            self.assertEqual(path.read_text().count("-----BEGIN"), 1, path.name)

    def test_control_another_certificate_has_another_fingerprint(self):
        request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-keyout", "/dev/null", "-subj", "/CN=DigiCert Global Root G2", "-days", "1"]
        pem = subprocess.run(request, check=True, capture_output=True).stdout
        self.assertNotIn(fingerprint(pem), FINGERPRINTS.values())


if __name__ == "__main__":
    main()
