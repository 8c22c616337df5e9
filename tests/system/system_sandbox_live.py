"""The cage of each daemon, as the kernel sees it while the stack runs."""
import contextlib
import os
import signal
import subprocess
import time

import stack  # first: it sets the path to the demo's modules
import peek
from support.proves import main, proves


class SandboxLive(stack.StackTest):
    @proves("T-SW-06", "T-KEY-01", "CR 2.1")
    def test_every_daemon_lives_in_its_cage(self):
        daemons = self.stack.daemons()
        self.assertEqual({"mitral-vault", "mitral-intake-lines", "mitral-uplink"}, set(daemons))
        for name, daemon in daemons.items():
            self.assertEqual([], peek.cage_faults(daemon.pid), name)

    @proves("T-SW-06", "CR 2.1")
    def test_the_local_azure_lives_in_its_cage(self):
        self.assertEqual([], peek.cage_faults(self.stack.parts["mitral-cloud"].pid))

    @proves("T-SW-06", "CR 2.1")
    def test_enrol_lives_in_its_cage_while_it_talks(self):
        """A DPS that takes the connection and says nothing holds the one-shot still."""
        port = self.stack.layout.ports.https
        with self.silent_cloud(), self.enrol() as enrol:
            talks = self.stack.wait_for(lambda: ("tcp", port) in peek.internet_peers(enrol.pid), 15)
            self.assertTrue(talks, "mitral-enrol did not connect to DPS")
            self.assertEqual([], peek.cage_faults(enrol.pid))

    @contextlib.contextmanager
    def silent_cloud(self):
        cloud = self.stack.parts["mitral-cloud"]
        cloud.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            cloud.signal(signal.SIGCONT)

    @contextlib.contextmanager
    def enrol(self):
        program = self.stack.programs / "mitral-enrol"
        with subprocess.Popen([program, "--config", self.stack.layout.config], stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    @proves("T-SW-06", "CR 1.4")
    def test_no_two_daemons_share_a_user(self):
        users = [peek.status(daemon.pid)["Uid"]
                 for daemon in [*self.stack.daemons().values(), self.stack.parts["mitral-cloud"]]]
        self.assertEqual(len(users), len(set(users)), users)

    @proves("T-SW-06")
    def test_a_restarted_daemon_is_caged_again(self):
        uplink = self.stack.parts["mitral-uplink"]
        before = uplink.restarts
        self.stack.kill_uplink()
        killed = time.time()
        self.assertTrue(self.stack.wait_for(lambda: self.stack.connected_since(killed), 20), uplink.tail())
        self.assertGreater(uplink.restarts, before)
        self.assertEqual([], peek.cage_faults(uplink.pid))

    def test_the_check_sees_a_process_without_cage(self):
        """Negative control: this very test runs as root and free."""
        faults = peek.cage_faults(os.getpid())
        self.assertIn("runs as root", faults)
        self.assertIn("may gain privileges", faults)
        self.assertIn("has no seccomp filter", faults)
        self.assertIn("holds capabilities (CapEff)", faults)


if __name__ == "__main__":
    main()
