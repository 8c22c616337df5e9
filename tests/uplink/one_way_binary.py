"""The shipped program has no code to ask the hub for anything: no such symbol, no such word, and a control that finds it elsewhere."""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from support.proves import main, proves

PROGRAM = pathlib.Path(sys.argv.pop())
ASKING = re.compile(rb"subscri|devicebound|iothub/methods|iothub/twin|twin/PATCH", re.IGNORECASE)


REPEATABLE = re.compile(rb"\bSSL_(?:write_early_data|set_session|CTX_set_max_early_data|set_max_early_data)\b")


def imported(binary):
    return subprocess.run(["nm", "--dynamic", "--undefined-only", binary], capture_output=True, check=True).stdout


def symbols(binary):
    return subprocess.run(["nm", "--demangle", binary], capture_output=True, check=True).stdout


class OneWay(unittest.TestCase):
    @proves("T-WAY-01", "CR 2.1")
    def test_no_symbol(self):
        listed = symbols(PROGRAM)
        self.assertIn(b"append_publish", listed)  # control: symbols are there to be seen
        self.assertEqual(ASKING.findall(listed), [])

    @proves("T-WAY-01")
    def test_no_word(self):
        content = PROGRAM.read_bytes()
        self.assertIn(b"messages/events", content)
        self.assertEqual(ASKING.findall(content), [])

    @proves("T-WAY-01")
    def test_no_foreign_client_library(self):
        needed = subprocess.run(["readelf", "--dynamic", PROGRAM], capture_output=True, check=True).stdout
        self.assertIn(b"libssl", needed)
        for library in (b"mosquitto", b"paho", b"iothub", b"curl"):
            self.assertNotIn(library, needed)

    @proves("T-MITM-03")
    def test_no_early_data_and_no_resumption(self):
        """What is sent before the handshake ends can be replayed (RFC 8446 §8): there is no call for it."""
        listed = imported(PROGRAM)
        self.assertIn(b"SSL_write_ex", listed)  # control: it is OpenSSL that is called
        self.assertEqual(REPEATABLE.findall(listed), [])

    def test_control_the_search_finds_a_program_that_resumes(self):
        self.assertTrue(REPEATABLE.search(imported(shutil.which("openssl"))))

    def test_control_the_search_finds_a_client_that_can(self):
        other = shutil.which("mosquitto_sub")
        if other is None:
            self.skipTest("no mosquitto_sub to compare with")
        self.assertTrue(ASKING.search(pathlib.Path(other).read_bytes()))


if __name__ == "__main__":
    main()
