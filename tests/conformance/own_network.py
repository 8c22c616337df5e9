"""A network of a test's own, with the ports and host names that clients do not let anybody choose: namespaces for
network and mounts, an /etc/hosts and a bundle of trusted roots of their own. All of it ends with the test."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import npm_packages
from support.proves import main

HUB, DPS = "hub.mitral.test", "dps.mitral.test"
# As Azure names them; inside there is no way to the real ones.
AZURE_HUB, AZURE_DPS = "ward-hub.azure-devices.net", "global.azure-devices-provisioning.net"
NAMES = (HUB, DPS, AZURE_HUB, AZURE_DPS)
INSIDE = "MITRAL_OWN_NETWORK"
TRUSTED = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


def _put_over(place, text):
    """`place` reads as `text` from now on, in this namespace alone."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        subprocess.run(["mount", "--bind", file.name, str(place)], check=True)


def trust(ca):
    """Clients that trust what the machine trusts take this authority too. Inside only."""
    assert INSIDE in os.environ
    _put_over(TRUSTED, TRUSTED.read_text() + pathlib.Path(ca).read_text())


def forget():
    """Ends the last trust()."""
    subprocess.run(["umount", str(TRUSTED)], check=True)


def _reason_to_skip():
    if os.geteuid() != 0:
        return "needs root, for a network of its own"
    missing = [tool for tool in ("node", "npm", "unshare", "ip") if shutil.which(tool) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def run(program):
    """main() of a test program, inside."""
    if reason := _reason_to_skip():
        print(f"skipped: {reason}")
        sys.exit(77)
    if INSIDE not in os.environ:
        npm_packages.install()
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, program, *sys.argv[1:]])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _put_over("/etc/hosts", f"127.0.0.1 localhost {' '.join(NAMES)}\n")
    main()
