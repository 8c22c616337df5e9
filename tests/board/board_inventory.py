#!/usr/bin/python3
"""The list of packages of a stage: nothing stands in it that a signed archive does not vouch for."""
import hashlib
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support.proves import main

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "scripts" / "board" / "inventory.py"


def run(*words, **more):
    return subprocess.run([str(each) for each in words], check=True, capture_output=True, **more)


class Archive:
    """An archive with one package, signed by a key of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.gpg = ("gpg", "--homedir", folder / "gpg", "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback",
                    "--passphrase", "")
        (folder / "gpg").mkdir(mode=0o700)
        run(*self.gpg, "--quick-generate-key", "archive", "ed25519", "sign", "never")
        self.keyring = folder / "keyring.gpg"
        run(*self.gpg, "--output", self.keyring, "--export")
        self.lists, self.debs = folder / "lists", folder / "debs"
        self.lists.mkdir()
        self.debs.mkdir()
        self.deb = self.make_deb("1.0")
        self.publish()

    def make_deb(self, version, content="content"):
        tree = self.folder / f"tree-{version}-{content}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "file").write_text(content)
        (tree / "DEBIAN" / "control").write_text(f"Package: thing\nVersion: {version}\nArchitecture: arm64\n"
                                                 "Maintainer: M <m@example.org>\nDescription: thing\n")
        deb = self.debs / "thing_arm64.deb"
        run("dpkg-deb", "--build", "--root-owner-group", tree, deb)
        return deb

    def publish(self):
        self.index = self.lists / "archive_dists_trixie_main_binary-arm64_Packages"
        self.index.write_text("Package: thing\nVersion: 1.0\nArchitecture: arm64\n"
                              f"SHA256: {hashlib.sha256(self.deb.read_bytes()).hexdigest()}\n\n")
        digest = hashlib.sha256(self.index.read_bytes()).hexdigest()
        release = self.folder / "Release"
        release.write_text("Suite: stable\nCodename: trixie\nDate: Sat, 12 Sep 2026 07:55:41 UTC\nSHA256:\n"
                           f" {digest} {self.index.stat().st_size} main/binary-arm64/Packages\n")
        self.in_release = self.lists / "archive_dists_trixie_InRelease"
        run(*self.gpg, "--yes", "--output", self.in_release, "--clearsign", release)

    def inventory(self):
        words = (PROGRAM, self.lists, "--keyring", self.keyring, "--debs", self.debs)
        return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=False)


class Inventory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory(prefix="mitral-inventory-")
        cls.addClassCleanup(cls.made.cleanup)

    def setUp(self):
        folder = Path(tempfile.mkdtemp(dir=self.made.name, prefix="a"))
        self.archive = Archive(folder)
        self.addCleanup(subprocess.run, ["gpgconf", "--homedir", str(folder / "gpg"), "--kill", "all"], check=False)

    def refused(self, reason):
        done = self.archive.inventory()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(reason, done.stderr)

    def test_release_and_packages_are_written_with_their_hashes(self):
        done = self.archive.inventory()
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual(rows, [
            ["release", "stable", "trixie", "Sat, 12 Sep 2026 07:55:41 UTC",
             hashlib.sha256(self.archive.in_release.read_bytes()).hexdigest()],
            ["package", "thing", "1.0", "arm64", hashlib.sha256(self.archive.deb.read_bytes()).hexdigest()]])

    def test_a_release_that_was_changed_is_refused(self):
        path = self.archive.in_release
        path.write_text(path.read_text().replace("Codename: trixie", "Codename: forged"))
        self.refused("BAD signature")

    def test_a_release_that_another_key_signed_is_refused(self):
        other = Path(tempfile.mkdtemp(dir=self.made.name, prefix="b"))
        stranger = Archive(other)
        self.addCleanup(subprocess.run, ["gpgconf", "--homedir", str(other / "gpg"), "--kill", "all"], check=False)
        self.archive.in_release.write_bytes(stranger.in_release.read_bytes())
        self.refused("No public key")

    def test_text_beside_the_signature_does_not_count(self):
        index = self.archive.index
        index.write_text(index.read_text() + "Package: more\nVersion: 1\nArchitecture: arm64\nSHA256: 0\n\n")
        digest = hashlib.sha256(index.read_bytes()).hexdigest()
        path = self.archive.in_release
        path.write_text(f"SHA256:\n {digest} 1 main/binary-arm64/Packages\n\n" + path.read_text())
        self.refused("is not in the signed release")

    def test_no_release_is_refused(self):
        self.archive.in_release.unlink()
        self.refused("no InRelease")

    def test_an_index_that_was_changed_is_refused(self):
        self.archive.index.write_text(self.archive.index.read_text().replace("1.0", "1.1"))
        self.refused("is not in the signed release")

    def test_a_package_of_the_right_name_and_wrong_content_is_refused(self):
        self.archive.make_deb("1.0", content="other")
        self.refused("thing 1.0 arm64 is not what the archive has")

    def test_a_package_the_archive_does_not_have_is_refused(self):
        self.archive.make_deb("2.0")
        self.refused("thing 2.0 arm64 is not what the archive has")

    def test_no_package_is_refused(self):
        self.archive.deb.unlink()
        self.refused("no package")


if __name__ == "__main__":
    main()
