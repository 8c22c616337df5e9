"""All faults of the run, by what they concern."""
import errno
import time

import errorfs
from machine_faults import (FailingDisk, FullDisk, Kill, Refused, ShortWrite, SlowDisk, TornWrite, VanishedGroup,
                            VaultKilled)
from network_faults import Cloud, Duplicate, Link, Reassigned
from time_faults import ClockSet, Renewal

YEAR_S = 365.25 * 86_400
PROCESS = [Kill()]
CALLS = [Refused("no-space", errno.ENOSPC), Refused("read-only", errno.EROFS), Refused("io-error", errno.EIO),
         SlowDisk()]
DISK = [FullDisk(), FailingDisk("disk-read-only", *({"op": op, "errno": "EROFS"} for op in errorfs.CHANGING)),
        FailingDisk("disk-errors", *({"op": op, "errno": "EIO"} for op in
                                     ("write", "fsync", "fdatasync", "fsyncdir", "create", "rename"))),
        FailingDisk("disk-slow", *({"op": op, "delay_ms": 60} for op in ("write", "fsync", "fdatasync", "rename")))]
TORN = TornWrite()
WRITES = [ShortWrite(), TORN]
HUB = [Link("hub-down", "hub", "down"), Link("hub-slow", "hub", "slow", bytes_per_s=8000, latency_ms=150),
       Link("hub-half-open", "hub", "blackhole", held_s=1.1, direction="both"),
       Link("hub-reset", "hub", "reset", after_bytes=0),
       Cloud("hub-throttles-connects", "throttle-connects", drop=True, count=1),
       Cloud("hub-throttles", "throttle-telemetry", per_second=2, queue_ms=300, seconds=2),
       Cloud("hub-quota", "daily-quota", drop=True, count=1),
       Cloud("hub-slow-puback", "slow-puback", delay_ms=500, count=2),
       Cloud("hub-token-expired", "expired-tokens", count=1),
       Duplicate()]
DPS = [Link("dps-down", "dps", "down"), Link("dps-reset", "dps", "reset", after_bytes=0),
       Cloud("dps-unreachable", "dps-unreachable", count=1),
       Cloud("dps-throttled", "dps-throttled", count=1, retry_after=1)]
CLOCK = [ClockSet("clock-1970", lambda: -time.time()), ClockSet("clock-10-years-on", lambda: 10 * YEAR_S),
         ClockSet("clock-hour-back", lambda: -3600.0)]
REASSIGNED = [Reassigned()]
RENEWAL = [Renewal()]
TRUST_ZONE = [VaultKilled()]
ALL = [*PROCESS, *CALLS, *DISK, *WRITES, *HUB, *DPS, *REASSIGNED, *CLOCK, *RENEWAL, *TRUST_ZONE]
CONTROL = VanishedGroup()
BY_NAME = {fault.name: fault for fault in [*ALL, CONTROL]}
# After these the spool may give up its oldest records, and says so in gap records.
NO_SPACE = {"no-space", "short-write", "full-disk"}
