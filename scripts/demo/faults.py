"""What the demo breaks on purpose, and when."""
import dataclasses
import random
import threading
import time


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    announcement: str
    cause: object  # called with the stack


HUB_AWAY = Fault("hub away", "the hub goes away for 3 s: all links dropped, new ones refused",
                 lambda stack: stack.hub_away(3))
KILL_UPLINK = Fault("kill -9 uplink", "kill -9 of the uplink: the supervisor starts it again",
                    lambda stack: stack.kill_uplink())
RENEW_TOKEN = Fault("token renewal", "the token is renewed now: a new link, nothing lost",
                    lambda stack: stack.renew_token())
KILL_INTAKE = Fault("kill -9 intake", "kill -9 of the intake: the monitors send again what had no answer",
                    lambda stack: stack.kill_intake())
KILL_VAULT = Fault("kill -9 vault", "kill -9 of the vault: it comes back with the key its TPM kept",
                   lambda stack: stack.kill_vault())
ALL = (HUB_AWAY, KILL_UPLINK, RENEW_TOKEN, KILL_INTAKE, KILL_VAULT)


def demo_plan(seconds):
    """(second, fault) pairs: all of them within `seconds`, or one every ten seconds without end."""
    if seconds:
        return [(seconds * share, fault) for share, fault in zip((0.15, 0.40, 0.55, 0.70, 0.80), ALL)]
    return _endless()


def _endless():
    at = 6.0
    while True:
        for fault in ALL:
            yield at, fault
            at += 10.0


def random_plan(seed, seconds, gap_s=(1.0, 4.0)):
    """Every fault again and again at random moments: the same seed gives the same plan."""
    chance = random.Random(seed)
    at, plan = 1.0, []
    while at < seconds:
        round_of_faults = list(ALL)
        chance.shuffle(round_of_faults)
        for fault in round_of_faults:
            plan.append((at, fault))
            at += chance.uniform(*gap_s)
    return plan


class Conductor(threading.Thread):
    """Causes the faults of a plan until told to end; `done` holds what happened, with times."""

    def __init__(self, stack, plan, announce):
        super().__init__(name="faults", daemon=True)
        self._stack, self._plan, self._announce = stack, plan, announce
        self._ending = threading.Event()
        self.done = []
        self.failed = []

    def run(self):
        start = time.monotonic()
        for at, fault in self._plan:
            if self._ending.wait(max(0.0, start + at - time.monotonic())):
                return
            self._announce(fault.announcement)
            try:
                fault.cause(self._stack)
                self.done.append((time.time(), fault.name))
            except OSError as error:
                self.failed.append((fault.name, str(error)))
                self._announce(f"fault not possible: {error}")

    def end(self):
        self._ending.set()
        self.join(timeout=15)

    def counts(self):
        tally = {}
        for _at, name in self.done:
            tally[name] = tally.get(name, 0) + 1
        return tally
