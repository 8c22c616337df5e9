#!/usr/bin/python3
"""Keys that sign a board: from a folder, or from a PKCS#11 token that no build ever reads a private key out of."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from support.proves import main, proves

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "board"), str(ROOT / "tests" / "board")]

import build  # noqa: E402
import keys  # noqa: E402
from stages import Stage, StageFailed, Workshop  # noqa: E402
from softtoken import SoftToken  # noqa: E402

RECIPES = ROOT / "board" / "qemu" / "recipes"


class Signing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = tempfile.TemporaryDirectory(prefix="mitral-signing-")
        cls.addClassCleanup(made.cleanup)
        cls.folder = Path(made.name)
        keys.make_development(cls.folder / "keys")
        cls.token = SoftToken(cls.folder / "token")
        for name in keys.BITS:
            cls.token.take(name, cls.folder / "keys" / f"{name}.pem")
        told = mock.patch.dict(os.environ, cls.token.environment)
        told.start()
        cls.addClassCleanup(told.stop)

    def public(self, store):
        to = Path(tempfile.mkdtemp(dir=self.folder))
        keys.export(store, to)
        return to

    def made_by(self, recipe, store, **outputs):
        """Runs a recipe that signs, as the builder does; its output."""
        public = self.public(store)
        workshop = Workshop(Path(tempfile.mkdtemp(dir=self.folder)), {"BOARD": str(ROOT / "board" / "qemu")},
                            store.signing(public))
        for name, files in outputs.items():
            for file, content in files.items():
                path = workshop.output(name.replace("_", "-")) / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        workshop.output(recipe).mkdir()
        # The signature covers the time of its making.
        after = tuple(name.replace("_", "-") for name in outputs)
        workshop.run(Stage(recipe, RECIPES / f"{recipe}.sh", after=after, signs=True,
                           settings={"SOURCE_DATE_EPOCH": "1", "BOOT_ARGUMENTS": "quiet"}), workshop.output(recipe))
        return workshop.output(recipe)

    def tree(self):
        return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=b"/dts-v1/; / { };", capture_output=True,
                              check=True).stdout

    def signatures(self, store):
        image = self.made_by("image", store, machine_tree={"machine.dtb": self.tree()},
                             initramfs={"initramfs.zst": b"initramfs"},
                             packages={"release": b"6.12\n", "kernel/boot/vmlinuz-6.12": b"kernel"}) / "image.itb"
        return [self.read(image, f"/configurations/{slot}/signature-1", "value") for slot in ("slot-a", "slot-b")]

    def read(self, blob, node, name):
        return subprocess.run(["fdtget", "-t", "x", str(blob), node, name], capture_output=True, text=True,
                              check=True).stdout

    def test_a_token_gives_the_same_public_halves(self):
        token, folder = self.public(keys.store(self.token.uri)), self.public(keys.store(str(self.folder / "keys")))
        for name in keys.BITS:
            self.assertEqual((token / f"{name}.pem").read_text(), (folder / f"{name}.pem").read_text())
        self.assertEqual(keys.fingerprint(token, *keys.BITS), keys.fingerprint(folder, *keys.BITS))

    @proves("T-KEY-05")
    def test_an_image_signed_by_the_token_is_the_one_signed_by_the_file(self):
        by_token, by_file = (self.signatures(keys.store(each)) for each in (self.token.uri, str(self.folder / "keys")))
        self.assertEqual(by_token, by_file)
        self.assertEqual(len(by_token[0].split()), 3072 // 32)

    def test_control_another_key_signs_otherwise(self):
        other = self.folder / "other"
        keys.make_development(other)
        self.assertNotEqual(self.signatures(keys.store(str(other))), self.signatures(keys.store(self.token.uri)))

    def test_the_boot_loader_gets_the_token_s_public_key(self):
        def modulus(store):
            made = self.made_by("u-boot-key", store, machine_tree={"machine.dtb": self.tree()},
                                u_boot={"build/u-boot-nodtb.bin": b"u-boot"})
            self.assertEqual(self.read(made / "control.dtb", "/signature/key-boot", "rsa,num-bits").strip(), "c00")
            return self.read(made / "control.dtb", "/signature/key-boot", "rsa,modulus")

        self.assertEqual(modulus(keys.store(self.token.uri)), modulus(keys.store(str(self.folder / "keys"))))

    @proves("T-KEY-05")
    def test_neither_private_key_nor_pin_is_told_to_a_recipe(self):
        public = self.public(keys.store(self.token.uri))
        told = keys.store(self.token.uri).signing(public)
        self.assertNotIn(self.token.pin.read_text(), " ".join(told.values()))
        self.assertEqual(sorted(path.name for path in public.rglob("*")), sorted(f"{name}.pem" for name in keys.BITS))
        for path in public.iterdir():
            self.assertNotIn("PRIVATE", path.read_text())

    def test_a_wrong_pin_signs_nothing(self):
        pin = self.folder / "wrong-pin"
        pin.write_text("1174")
        store = keys.store(self.token.uri.replace(str(self.token.pin), str(pin)))
        with self.assertRaises((StageFailed, keys.KeyMissing)):
            self.signatures(store)

    def test_what_is_missing_is_said(self):
        with self.assertRaisesRegex(keys.KeyMissing, "no public key boot in the token"):
            self.public(keys.store(self.token.uri.replace("token=release", "token=another")))
        with self.assertRaisesRegex(keys.KeyMissing, "boot.pem"):
            self.public(keys.store(str(self.folder / "nowhere")))
        with self.assertRaisesRegex(keys.KeyMissing, "names no object"):
            keys.store(self.token.uri + ";object=boot")


class Production(unittest.TestCase):
    @proves("R51")
    def test_production_has_keys_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            with self.assertRaisesRegex(build.NotForProduction, "MITRAL_BOARD_KEYS"):
                build.signing_keys(None, place, "production")
            self.assertTrue(build.signing_keys(None, place, "development").development)
            with self.assertRaisesRegex(build.NotForProduction, "for development"):
                build.signing_keys(str(place / "keys"), place, "production")
            (place / "keys" / keys.DEVELOPMENT).unlink()
            self.assertFalse(build.signing_keys(str(place / "keys"), place, "production").development)

    def test_production_names_its_station(self):
        for given in ("", "ab" * 31, "xy" * 32):
            with mock.patch.dict(os.environ, {"MITRAL_STATION_KEY": given}):
                with self.assertRaisesRegex(build.NotForProduction, "MITRAL_STATION_KEY"):
                    build.station_known("production")
                build.station_known("development")
        with mock.patch.dict(os.environ, {"MITRAL_STATION_KEY": "ab" * 32}):
            build.station_known("production")


if __name__ == "__main__":
    main()
