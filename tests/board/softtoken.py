"""A PKCS#11 token for tests: SoftHSM in a folder, with the keys that sign a board."""
import os
import subprocess
from pathlib import Path

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4711"


class SoftToken:
    def __init__(self, folder: Path, label: str = "release"):
        self.folder, self.label = folder, label
        (folder / "tokens").mkdir(parents=True)
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\n")
        self.pin = folder / "pin"
        self.pin.write_text(PIN)
        self.environment = {"SOFTHSM2_CONF": str(configuration), "PKCS11_MODULE_PATH": str(MODULE)}
        self.tool("--init-token", "--free", "--label", label, "--so-pin", "0000")

    @property
    def uri(self) -> str:
        return f"pkcs11:token={self.label};pin-source=file:{self.pin}"

    def tool(self, *words: str) -> None:
        subprocess.run(["softhsm2-util", *words, "--pin", PIN], env={**os.environ, **self.environment}, check=True,
                       capture_output=True)

    def make(self, name: str, bits: int) -> None:
        """A key pair that never is outside."""
        subprocess.run(["pkcs11-tool", "--module", str(MODULE), "--token-label", self.label, "--login", "--pin", PIN,
                        "--keypairgen", "--key-type", f"rsa:{bits}", "--label", name, "--id", name.encode().hex()],
                       env={**os.environ, **self.environment}, check=True, capture_output=True)

    def take(self, name: str, key: Path) -> None:
        """The key pair of a PEM file becomes the token's object `name`."""
        self.tool("--import", str(key), "--token", self.label, "--label", name, "--id", name.encode().hex())
