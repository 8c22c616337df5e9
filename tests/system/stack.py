"""The demo's stack for the tests: started once per test class, its logs kept when a test fails."""
import os
import pathlib
import shutil
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BINARY = pathlib.Path(os.environ.get("MITRAL_BINARY_DIR", SOURCE / "build/release"))
sys.path.insert(0, str(SOURCE / "scripts/demo"))
import gateway  # noqa: E402
import layout  # noqa: E402
import processes  # noqa: E402
import ward  # noqa: E402

DATA = SOURCE / "tests/data"


class StackTest(unittest.TestCase):
    """Test classes over a running stack. `tuning` and `plans` may be replaced."""

    tuning = layout.Tuning()
    plans = ward.PATIENTS
    stack = None
    ward = None
    failed = False

    @classmethod
    def setUpClass(cls):
        if not processes.is_root():
            raise unittest.SkipTest("needs root: the daemons drop to users of their own")
        cls.stack = gateway.Stack(BINARY / "bin", SOURCE, tuning=cls.tuning)
        cls.addClassCleanup(cls._take_down)
        try:
            cls.stack.start()
        except BaseException:
            cls.failed = True
            raise
        cls.ward = ward.Ward(cls.stack, ward.patients(cls.stack, DATA, cls.plans))

    @classmethod
    def _take_down(cls):
        cls.stack.stop()
        if cls.failed:
            kept = BINARY / "system-logs" / cls.__name__
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(cls.stack.layout.root, kept, symlinks=True,
                            ignore=shutil.ignore_patterns("*.sock", "station", "tpm"))
            print(f"logs and books of the failed run: {kept}", file=sys.stderr)
        cls.stack.remove()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            type(self).failed = True
