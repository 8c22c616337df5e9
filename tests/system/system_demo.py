"""The demo as its user meets it: what it prints, its last line, its exit status."""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import stack  # first: it sets the path to the demo's modules
import gateway
import peek
import processes
import view
from support.proves import main, proves

DEMO = stack.SOURCE / "scripts/demo/demo.py"
LAST_LINE = re.compile(r"ledger: sent=(\d+) delivered=(\d+) queued=0 gaps=0 lost=0 altered=0 redelivered=\d+")
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
FAULTS = ("the hub goes away", "kill -9 of the uplink", "the token is renewed", "kill -9 of the intake",
          "kill -9 of the vault")


def start(*arguments, before=(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **environment):
    return subprocess.Popen([*before, "/usr/bin/python3", "-B", DEMO, "--programs", stack.BINARY / "bin", *arguments],
                            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True,
                            env={**os.environ, "DEMO_SECONDS": "", **environment}, start_new_session=True)


def read_to_end(screen, seconds=150.0):
    """What a program writes to its terminal until it closes it."""
    shown, deadline = b"", time.monotonic() + seconds
    with os.fdopen(screen, "rb", 0) as stream:
        while select.select([stream], [], [], max(0.0, deadline - time.monotonic()))[0]:
            try:
                shown += stream.read(65536)
            except OSError:  # EIO: the far end is closed
                break
    return shown.decode().replace("\r\n", "\n")


class Demo(unittest.TestCase):
    def check(self, output, status):
        self.assertEqual(0, status, output)
        match = LAST_LINE.fullmatch(output.strip().splitlines()[-1])
        self.assertIsNotNone(match, output)
        self.assertEqual(match[1], match[2])
        self.assertGreater(int(match[1]), 100)

    @unittest.skipUnless(processes.is_root(), "needs root")
    @proves("T-DATA-01")
    def test_it_ends_by_itself_with_every_fault_and_a_balanced_ledger(self):
        demo = start("--seconds", "20")
        output, _ = demo.communicate(timeout=150)
        self.check(output, demo.returncode)
        for fault in FAULTS:
            self.assertIn(f"FAULT {fault}", output)
        # Each message has a remark with the patient's name, which nobody understands and nobody passes on.
        self.assertRegex(output, r"\n  not understood, and kept out: .*codes [1-9]")

    @unittest.skipUnless(processes.is_root(), "needs root")
    def test_the_environment_may_say_how_long(self):
        demo = start(DEMO_SECONDS="6")
        output, _ = demo.communicate(timeout=150)
        self.check(output, demo.returncode)

    @unittest.skipUnless(processes.is_root(), "needs root")
    def test_on_a_terminal_it_shows_a_picture(self):
        screen, far_end = pty.openpty()
        fcntl.ioctl(far_end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        demo = start("--seconds", "10", stdout=far_end, stderr=far_end)
        os.close(far_end)
        shown = read_to_end(screen)
        self.assertEqual(0, demo.wait(timeout=60), shown)
        pictures = shown.split(view.HOME)[1:]
        self.assertGreater(len(pictures), 10)  # four a second
        last = pictures[-1]
        for word in ("readings in", "queued on disk", "delivered", "redelivered", "p50", "p99", "sensor ack",
                     "sensor to hub", "token age", "renewals", "FAULT", "link", "bed-1", "bed-2", "bed-3", "mllp_send"):
            self.assertIn(word, last)
        numbers = [int(match[1].replace(",", "")) for match in re.finditer(r"delivered +([\d,]+) ", shown)]
        self.assertGreater(numbers[-1], 100)
        self.assertGreaterEqual(len(set(numbers)), 4, "the picture does not live")
        self.assertRegex(last, r"sensor to hub +\d[\d.]* ms +\d[\d.]* ms")
        self.assertIn("running; Ctrl-C ends it in order", shown)
        self.check(ESCAPES.sub("", shown), demo.returncode)

    @unittest.skipUnless(processes.is_root(), "needs root")
    def test_control_c_ends_it_in_order(self):
        demo = start()
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if re.search(r"delivered=[1-9]", line):
                break
        self.assertIsNone(demo.poll(), "".join(lines))
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=120)
        self.check("".join(lines) + rest, demo.returncode)
        self.assertLess(rest.index("the monitors stop"), rest.index("intake closes its batch"))
        self.assertLess(rest.index("intake closes its batch"), rest.index("the queue is empty"))

    @unittest.skipUnless(processes.is_root(), "needs root")
    def test_a_killed_demo_leaves_nothing_running(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        pathlib.Path(place.name).chmod(0o755)  # the daemons' users pass through
        demo = start(TMPDIR=place.name)
        for line in demo.stdout:
            if re.search(r"delivered=[1-9]", line):
                break
        children = peek.descendants(demo.pid)
        self.assertGreaterEqual(len(children), 6, "the stack's processes were not found: the test sees nothing")
        demo.kill()
        demo.communicate(timeout=30)
        self.assertTrue(gateway.Stack.wait_for(lambda: not any(map(peek.runs, children)), 15),
                        [pid for pid in children if peek.runs(pid)])

    @unittest.skipUnless(processes.is_root(), "drops to nobody, which needs root")
    def test_without_root_it_says_so_in_one_line(self):
        demo = start(before=("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"))
        output, _ = demo.communicate(timeout=30)
        self.assertNotEqual(0, demo.returncode)
        self.assertEqual(1, len(output.strip().splitlines()), output)
        self.assertIn("sudo", output)

    @unittest.skipUnless(processes.is_root(), "needs root to come that far")
    def test_without_programs_it_names_the_remedy(self):
        with tempfile.TemporaryDirectory() as empty:
            demo = start("--programs", empty)
            output, _ = demo.communicate(timeout=30)
        self.assertNotEqual(0, demo.returncode)
        self.assertEqual(1, len(output.strip().splitlines()), output)
        self.assertIn("make build", output)


if __name__ == "__main__":
    main()
