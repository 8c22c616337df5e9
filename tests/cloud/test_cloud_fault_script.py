"""Scripted faults: checked as a whole before they start, in the order of their times, with a log of what struck."""
import json
import pathlib
import subprocess
import tempfile
import urllib.error

from cloud.fault_case import FaultCase
from cloud.local_azure import BINARY, wait_until
from support.proves import main, proves


class Scripts(FaultCase):
    def tearDown(self):
        self.azure.admin("/fault-script", "DELETE")
        super().tearDown()

    def run_script(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
            file.write(text)
            file.flush()
            return subprocess.run([str(BINARY), "fault-script", file.name, "--state", str(self.azure.state)],
                                  capture_output=True, text=True, timeout=30, check=False)

    def events(self):
        rows = [json.loads(line) for line in self.azure.admin("/fault-log").splitlines()]
        self.assertEqual([row["number"] for row in rows], list(range(len(rows))))
        return [(row["fault"], row["event"], row["times"]) for row in rows]

    def left(self):
        return json.loads(self.azure.admin("/fault-script"))["steps_left"]

    @proves("T-DOS-03")
    def test_steps_strike_in_the_order_of_their_times(self):
        before = len(self.events())
        client = self.connected()
        done = self.run_script('{"seed":7}\n# a comment\n'
                               '{"at_s":0.3,"drop":"dev-01"}\n'
                               '{"at_s":0,"set":"throttle-connects","with":{"count":2}}\n'
                               '{"at_s":0.1,"set":"loss","with":{"percent":50}}\n\n'
                               '{"at_s":0.2,"within_s":0.05,"clear":"loss"}\n')
        self.assertEqual((done.returncode, json.loads(done.stdout)["steps"]), (0, 4), done.stderr)
        self.assertTrue(client.closed())
        wait_until(lambda: self.left() == 0)
        self.assertEqual([self.code() for _ in range(3)], [3, 3, 0])
        self.assertEqual(self.events()[before:],
                         [("throttle-connects", "on", 1), ("loss", "on", 1), ("loss", "off", 1), ("drop", "struck", 1),
                          ("throttle-connects", "struck", 2), ("throttle-connects", "off", 1)])
        rows = [json.loads(line) for line in subprocess.run(
            [str(BINARY), "fault-log", "--state", str(self.azure.state)], capture_output=True, text=True, timeout=30,
            check=True).stdout.splitlines()]
        self.assertEqual(len(rows), before + 6)

    @proves("CR 3.5")
    def test_a_script_with_one_wrong_line_does_nothing(self):
        good = '{"at_s":0,"set":"throttle-connects"}\n'
        for wrong, words in (('{"at_s":1,"set":"rain"}', "line 2: no fault has this name"),
                             ('{"at_s":-1,"set":"loss"}', "line 2: at_s is a number"),
                             ('{"at_s":700000,"clear":"loss"}', "line 2: at_s is a number"),
                             ('{"at_s":1}', "line 2: a step has one of"),
                             ('{"set":"loss","clear":"loss"}', "line 2: a step has one of"),
                             ('{"set":"loss","with":{"percent":101}}', "line 2: percent is a whole number"),
                             ('{"set":"loss","wiht":{}}', "line 2: wiht: a step takes"),
                             ('{"drop":"a/b"}', "line 2: drop names a device"),
                             ('{"seed":1}', "line 2: seed: a step takes"),
                             ("nonsense", "line 2: body is no JSON"),
                             ("[" * 100, "line 2: JSON nested deeper"),
                             ("\n".join([good.strip()] * 1001), "at most 1000 steps")):
            with self.subTest(words):
                done = self.run_script(good + wrong)
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
                with self.assertRaises(urllib.error.HTTPError) as refused:  # the server judges for itself
                    self.azure.admin("/fault-script", "POST", (good + wrong).encode())
                self.assertEqual(refused.exception.code, 400)
        self.assertFalse(self.row("throttle-connects")["on"])
        self.assertEqual(self.run_script(good).returncode, 0)  # the control
        wait_until(lambda: self.row("throttle-connects")["on"])

    def test_seeds_of_faults_come_from_the_seed_of_the_script(self):
        seeds = []
        for script in (7, 7, 8):
            self.run_script(f'{{"seed":{script}}}\n{{"set":"loss"}}\n{{"set":"malformed","with":{{"kind":"connack","percent":1}}}}')
            wait_until(lambda: self.left() == 0)
            seeds.append([self.row(name)["parameters"]["seed"] for name in ("loss", "malformed")])
        self.assertEqual(seeds[0], seeds[1])
        self.assertNotEqual(seeds[0], seeds[2])

    def test_a_missing_file_is_one_clear_line(self):
        done = subprocess.run([str(BINARY), "fault-script", str(pathlib.Path("/nonexistent/x")), "--state",
                               str(self.azure.state)], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        self.assertIn("/nonexistent/x", done.stderr)


if __name__ == "__main__":
    main()
