"""Keys of a development board: made at its first build, outside the tree, gone with `make clean`."""
import hashlib
import os
import subprocess
from pathlib import Path

RSA = ("ta", "boot")  # Trusted Applications, FIT images
ROOT_OF_TRUST = "rot"  # the firmware's certificates


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in (*RSA, ROOT_OF_TRUST):
        key = folder / f"{name}.pem"
        if key.exists():
            continue
        fresh = folder / f"{name}.fresh"
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
                        f"rsa_keygen_bits:{2048 if name == ROOT_OF_TRUST else 3072}", "-out", str(fresh)], check=True,
                       preexec_fn=lambda: os.umask(0o077))
        fresh.rename(key)
    certificate = folder / "boot.crt"
    if not certificate.exists():  # mkimage takes the public half from a certificate
        subprocess.run(["openssl", "req", "-batch", "-new", "-x509", "-key", str(folder / "boot.pem"), "-subj",
                        "/CN=Mitral development board", "-out", str(certificate)], check=True, capture_output=True)
    link = folder / "boot.key"
    if not link.exists():
        link.symlink_to("boot.pem")


def fingerprint(folder: Path, *names: str) -> str:
    """Changes when one of these keys does."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(hashlib.sha256((folder / f"{name}.pem").read_bytes()).digest())
    return digest.hexdigest()
