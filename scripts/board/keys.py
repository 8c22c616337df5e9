"""The keys that sign a board's image: a folder of PEM files, or a PKCS#11 token that keeps the private halves.

    boot  images that U-Boot starts       RSA 3072
    rot   the firmware's certificates     RSA 2048
    ta    OP-TEE's key for Trusted Applications: its public half alone is used, since ours stand in OP-TEE's own image
"""
import hashlib
import os
import subprocess
from pathlib import Path

BITS = {"boot": 3072, "rot": 2048, "ta": 3072}
DEVELOPMENT = "DEVELOPMENT"  # the file that marks a folder of keys anybody on this machine could have copied
SCHEME = "pkcs11:"
ENGINE = "pkcs11"


class KeyMissing(Exception):
    pass


def make_development(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / DEVELOPMENT).touch()
    for name, bits in BITS.items():
        key = folder / f"{name}.pem"
        if key.exists():
            continue
        fresh = folder / f"{name}.fresh"
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}",
                        "-out", str(fresh)], check=True, umask=0o077)
        fresh.rename(key)


class Directory:
    """NAME.pem for each key."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def development(self) -> bool:
        return (self.folder / DEVELOPMENT).exists()

    def export(self, name: str, to: Path) -> None:
        key = self.folder / f"{name}.pem"
        if not key.is_file():
            raise KeyMissing(f"no {key}")
        subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout", "-out", str(to)], check=True)

    def signing(self, public: Path) -> dict[str, str]:
        """What a recipe that signs is told. mkimage takes NAME.key and, for the public half, a certificate."""
        of_image = public / "boot"
        of_image.mkdir(exist_ok=True)
        link, certificate = of_image / "boot.key", of_image / "boot.crt"
        link.unlink(missing_ok=True)
        link.symlink_to(self.folder / "boot.pem")
        subprocess.run(["openssl", "req", "-batch", "-new", "-x509", "-key", str(self.folder / "boot.pem"), "-subj",
                        "/CN=Mitral board image", "-out", str(certificate)], check=True, capture_output=True)
        return {"BOOT_ENGINE": "", "BOOT_KEYS": str(of_image), "ROT_SIGNER": str(self.folder / "rot.pem")}


class Token:
    """Objects boot, rot and ta of a token: pkcs11:token=release;pin-source=file:/run/pin (RFC 7512)."""
    development = False

    def __init__(self, uri: str):
        if "object=" in uri or "?" in uri:  # mkimage appends the object by itself, so a query part cannot end the URI
            raise KeyMissing("the token's URI names no object and has its PIN among the path attributes")
        self.uri = uri

    def export(self, name: str, to: Path) -> None:
        done = subprocess.run(["openssl", "pkey", "-engine", ENGINE, "-inform", "engine", "-pubin", "-in",
                               f"{self.uri};object={name};type=public", "-pubout", "-out", str(to)],
                              capture_output=True, check=False)
        if done.returncode != 0:
            told = done.stderr.decode(errors="replace").strip()[-300:]
            raise KeyMissing(f"no public key {name} in the token: {told}")

    def signing(self, public: Path) -> dict[str, str]:
        names = ("PKCS11_MODULE_PATH", "SOFTHSM2_CONF")
        return {**{name: os.environ[name] for name in names if name in os.environ},
                "BOOT_ENGINE": ENGINE, "BOOT_KEYS": self.uri.removeprefix(SCHEME),
                "ROT_SIGNER": f"{self.uri};object=rot;type=private"}


def store(named: str) -> Directory | Token:
    return Token(named) if named.startswith(SCHEME) else Directory(Path(named))


def export(keys: Directory | Token, public: Path) -> None:
    """Brings the public halves to `public`/NAME.pem."""
    public.mkdir(parents=True, exist_ok=True)
    for name in BITS:
        keys.export(name, public / f"{name}.pem")


def fingerprint(public: Path, *names: str) -> str:
    """Changes when one of these keys does."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(hashlib.sha256((public / f"{name}.pem").read_bytes()).digest())
    return digest.hexdigest()
