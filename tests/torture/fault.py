"""What every fault of the run is."""

HELD_S = 0.3   # how long a disturbance lasts once it was seen
SEEN_S = 20.0  # within this it is seen, however busy the machine


class Fault:
    """strike() lets the standing process go on and returns what was seen; lift() ends it, also after a failure."""

    name = ""

    def strike(self, unit, standing):
        raise NotImplementedError

    def lift(self, unit):
        pass
