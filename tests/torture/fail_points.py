"""The fail-points that the run visits: whose they are, what leads there, and what kind of call follows."""
import dataclasses

INTAKE, UPLINK, VAULT, ENROL = "mitral-intake-lines", "mitral-uplink", "mitral-vault", "mitral-enrol"


@dataclasses.dataclass(frozen=True)
class Point:
    name: str
    program: str
    way: str            # how it comes about, see unit.Unit.bring_about
    call: str = ""      # "write", "other": a system call on the disk follows, whose failure is told
    linked: bool = True  # the uplink holds a connection to the hub while a process stands here


def _points(program, way, call="", linked=True):
    return lambda *names: [Point(name, program, way, call, linked) for name in names]


def _file(program, way, name, linked=True):
    """The four steps of base::replace_file for one file."""
    return [Point(f"replace-file.{step}:{name}", program, way, "write" if step == "write" else "other", linked)
            for step in ("write", "sync", "rename", "sync-directory")]


# Nothing has this name: the run's negative control (torture_run.py).
NOWHERE = Point("no.such-point", INTAKE, "traffic")

ALL = [
    # a line on its way to the disk
    *_points(INTAKE, "traffic")("intake.line-parsed", "intake.append", "intake.commit", "intake.committed",
                                "intake.answer", "intake.answered", "group.shown"),
    *_points(INTAKE, "traffic", "write")("group.write", "group.write-slot"),
    *_points(INTAKE, "traffic", "other")("group.sync"),
    # a new segment: after every start
    *_points(INTAKE, "restart intake")("intake.spool-opened"),
    *_points(INTAKE, "restart intake", "other")("segment.create", "segment.sync-header", "segment.rename",
                                                "segment.sync-directory"),
    *_points(INTAKE, "restart intake", "write")("segment.write-header"),
    # a start after a torn write
    *_points(INTAKE, "torn group", "other")("recover.truncate", "recover.sync", "recover.sync-slot"),
    *_points(INTAKE, "torn group", "write")("recover.write-slot"),
    *_points(INTAKE, "unshown group", "write")("recover.write-again"),
    # a failed group, the oldest records given up
    *_points(INTAKE, "no space", "write")("repair.write-slot", "bury.write-mark", "bury.write-drop"),
    *_points(INTAKE, "no space", "other")("repair.truncate", "bury.sync-mark", "bury.sync-drop",
                                          "bury.truncate", "bury.remove"),
    *_points(INTAKE, "no space")("bury.gap-sealed"),
    # what leaves the spool
    *_points(INTAKE, "long segment", "other")("segment.close"),
    *_points(INTAKE, "upkeep")("lane.read-acknowledgement"),
    *_points(INTAKE, "upkeep", "other")("lane.sync-removals", "lane.remove-acknowledged"),
    # the status file, which is replaced without waiting for the disk
    *_points(INTAKE, "traffic", "write")("replace-file.write:lines.json"),
    *_points(INTAKE, "traffic", "other")("replace-file.rename:lines.json"),
    # records on their way to the hub
    *_points(UPLINK, "traffic")("uplink.record-read", "uplink.publish-queued", "uplink.publish-written",
                                "uplink.puback-received", "uplink.position-advanced", "uplink.store-position",
                                "uplink.position-stored"),
    *_file(UPLINK, "traffic", "lines-vitals.ack"),
    *_points(UPLINK, "restart intake")("uplink.key-opened"),
    # connecting, renewing, ending
    *_points(UPLINK, "relink", linked=False)("uplink.link-down", "uplink.attempt", "uplink.token-minted",
                                             "uplink.tcp-connected", "uplink.tls-secured"),
    *_points(UPLINK, "relink")("uplink.connected", "uplink.checkpoint", "uplink.checkpoint-made",
                               "uplink.checkpoint-acknowledged"),
    *_points(UPLINK, "renew")("uplink.renewal-minted", "uplink.drain", "uplink.disconnect"),
    *_points(UPLINK, "renew", linked=False)("uplink.disconnected"),
    *_points(UPLINK, "stop uplink", linked=False)("uplink.stop"),
    # the trust zone
    *_points(VAULT, "renew")("vault.count-mint", "vault.mint-counted", "vault.reply"),
    *_file(VAULT, "renew", "mints"),
    *_points(VAULT, "restart intake")("vault.wrap-key", "vault.open-key"),
    # registration
    *_points(ENROL, "enrol")("enrol.token-minted", "enrol.ask", "enrol.answered", "enrol.registered",
                             "enrol.assignment-stored"),
    *_file(ENROL, "enrol", "assignment.json"),
]
