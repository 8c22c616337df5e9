"""A million messages and a thousand renewals: what each process holds stays flat, and nothing is lost."""
import concurrent.futures
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BINARY = pathlib.Path(os.environ.get("MITRAL_BINARY_DIR", SOURCE / "build/release"))
for part in ("scripts/demo", "scripts/bench", "tests/system"):
    sys.path.insert(0, str(SOURCE / part))
import endurance  # noqa: E402
import processes  # noqa: E402
import unit  # noqa: E402
import workshop  # noqa: E402
from support.proves import main, proves  # noqa: E402

MESSAGES = 1_000_000
RENEWALS = 1_000
WARM_MESSAGES = 100_000
WARM_RENEWALS = 50
VAULT_BURST = 4 * RENEWALS
ROUNDS = 10         # messages and renewals side by side in each
HANG_S = 30.0       # a renewal that takes longer hangs
LINE = ('{"id":"############","obs":[{"code":"MDC_ECG_HEART_RATE","value":62.8,"unit":"/min"},'
        '{"code":"MDC_PULS_OXIM_SAT_O2","value":97,"unit":"%"}]}')


class Renewals:
    """Counts connections by the uplink's log: the status file is too slow for a thousand."""

    def __init__(self, gateway):
        self._process = gateway.part("mitral-uplink")
        self._log = self._process.log.open(encoding="utf-8", errors="replace")
        self._connected, self._begun = 0, ""
        self._wait_for(1)

    def _wait_for(self, connections):
        deadline = time.monotonic() + HANG_S
        while self._connected < connections:
            self._begun += self._log.readline()
            if self._begun.endswith("\n"):
                self._connected += " connected " in self._begun
                self._begun = ""
            elif time.monotonic() > deadline or not self._process.running:
                raise processes.StartFailed(f"connection {connections} did not come up: {self._process.why()}")
            else:
                time.sleep(0.002)

    def force(self, count):
        for _ in range(count):
            os.kill(self._process.pid, signal.SIGUSR1)
            self._wait_for(self._connected + 1)

    def close(self):
        self._log.close()


class Endurance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not processes.is_root():
            raise unittest.SkipTest("needs root: the daemons drop to users of their own")
        out = tempfile.TemporaryDirectory(dir=BINARY)
        cls.addClassCleanup(out.cleanup)
        os.chmod(out.name, 0o755)  # the daemons' users come through
        shop = workshop.Workshop(BINARY, SOURCE, pathlib.Path(out.name), print).__enter__()
        cls.addClassCleanup(shop.__exit__, None, None, None)
        gateway = unit.Unit(shop, "gateway", unit.Settings(vault_burst=VAULT_BURST))
        cls.addClassCleanup(gateway.stop)
        gateway.start()
        cls._run(shop, gateway)

    @classmethod
    def _run(cls, shop, gateway):
        renewals = Renewals(gateway)
        cls.addClassCleanup(renewals.close)
        pids = gateway.pids()
        shop.hub.count_from_here()
        gateway.flood([LINE], WARM_MESSAGES)
        renewals.force(WARM_RENEWALS)
        cls.samples = {name: [endurance.holding(pid)] for name, pid in pids.items()}
        begin = time.monotonic()
        for _ in range(ROUNDS):
            with concurrent.futures.ThreadPoolExecutor() as beside:
                flood = beside.submit(gateway.fill, [LINE], MESSAGES // ROUNDS)
                renewals.force(RENEWALS // ROUNDS)
                flood.result()
        gateway.wait_published(WARM_MESSAGES + MESSAGES)
        cls._wait_for_status(gateway)
        cls.seconds = time.monotonic() - begin
        for name, pid in pids.items():
            cls.samples[name].append(endurance.holding(pid))
        cls.status = gateway.uplink_status()
        cls.hub = shop.hub
        print(f"{cls.seconds:.0f} s; {cls.samples}", flush=True)

    @staticmethod
    def _wait_for_status(gateway):
        """It is written once a second."""
        deadline = time.monotonic() + HANG_S
        while gateway.uplink_status()["renewals"] < WARM_RENEWALS + RENEWALS and time.monotonic() < deadline:
            time.sleep(0.05)

    @proves("T-DOS-02", "CR 7.2")
    def test_memory_and_descriptors_are_flat(self):
        for name, samples in self.samples.items():
            self.assertEqual([], endurance.growth(samples), name)

    @proves("T-DATA-01", "T-TOK-05")
    def test_nothing_is_lost_and_nothing_goes_twice(self):
        lanes = self.status["lanes"]
        records = sum(lane["records"] for lane in lanes)
        self.assertEqual(WARM_MESSAGES + MESSAGES, sum(lane["messages"] for lane in lanes))
        self.assertEqual(WARM_MESSAGES + MESSAGES, records)
        self.assertEqual((0, 0, 0), tuple(sum(lane[key] for lane in lanes)
                                          for key in ("gaps", "unreadable", "backlog")))
        self.hub.expect(WARM_MESSAGES + MESSAGES)  # raises
        self.assertEqual(WARM_RENEWALS + RENEWALS, self.status["renewals"])
        self.assertEqual(0, self.status["failures"])


class TheCheck(unittest.TestCase):
    """It fails on what it is there for."""

    def test_a_leak_of_memory_is_seen(self):
        leak = [endurance.Holding(4000 + 2 * i, 20) for i in range(1000)]  # 2 KiB a renewal
        self.assertTrue(endurance.growth(leak))
        self.assertFalse(endurance.growth([endurance.Holding(4000, 20), endurance.Holding(4600, 19)]))

    def test_a_leak_of_a_real_process_is_seen(self):
        script = ("import os,sys;held=[];print(flush=True)\nfor _ in sys.stdin:\n"
                  " held.append((os.open('/dev/null',os.O_RDONLY),os.urandom(2<<20)));print(flush=True)")
        with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leaking:
            leaking.stdout.readline()
            samples = [endurance.holding(leaking.pid)]
            leaking.stdin.write(b"\n")
            leaking.stdin.flush()
            leaking.stdout.readline()
            samples.append(endurance.holding(leaking.pid))
            leaking.stdin.close()
        self.assertEqual(2, len(endurance.growth(samples)), samples)


if __name__ == "__main__":
    main()
