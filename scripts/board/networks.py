"""The networks of a unit in QEMU: one to the wide area, one for each bed (board/qemu/network).

A bed's network leads nowhere but to the intake: what the host sends to the bed's port comes out of it.
"""
GATEWAY_FOR_BEDS = {"bed-1": 2575, "bed-2": 2576, "bed-3": 2576, "bed-4": 2576}  # 2575 asks for TLS
AZURE = "10.0.2.4"  # stands for the hub and DPS, at the ports that a unit may reach (board/common/firewall.nft)
HUB_PORT, DPS_PORT = 8883, 443


def address_of(bed: str) -> str:
    """Where a bed is, as the unit sees it."""
    return f"10.0.1{bed[-1]}.2"


def wan(hub: int | None = None, dps: int | None = None) -> list[str]:
    """`hub`, `dps`: ports on this host's loopback. To them alone the network leads."""
    there = {HUB_PORT: hub, DPS_PORT: dps}
    forwards = "".join(f",guestfwd=tcp:{AZURE}:{port}-cmd:socat STDIO TCP:127.0.0.1:{local}"
                       for port, local in there.items() if local)
    return ["-netdev", f"user,id=wan,net=10.0.2.0/24,restrict=on,ipv6=off{forwards}",
            "-device", "virtio-net-device,netdev=wan,mac=52:54:00:6d:00:01"]


def ward(ports: dict[str, int]) -> list[str]:
    """`ports`: bed -> port on this host's loopback."""
    arguments = []
    for bed, port in ports.items():
        number = bed[-1]
        arguments += ["-netdev", f"user,id={bed},net=10.0.1{number}.0/24,restrict=on,ipv6=off,"
                                 f"hostfwd=tcp:127.0.0.1:{port}-10.0.1{number}.15:{GATEWAY_FOR_BEDS[bed]}",
                      "-device", f"virtio-net-device,netdev={bed},mac=52:54:00:6d:01:0{number}"]
    return arguments
