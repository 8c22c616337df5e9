#!/usr/bin/python3
"""What a stage of the board's build sees of its caller, and that OP-TEE is built as it was asked to be."""
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from support.proves import main

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "board"))

import optee_settings  # noqa: E402
import sources  # noqa: E402
from stages import Stage, StageFailed, Workshop  # noqa: E402

# What would change a build: settings of OP-TEE, compilers, make, Python, apt, and of the shell that runs the recipe.
HOSTILE = {"CFG_INSECURE": "y", "CFG_RPMB_TESTKEY": "y", "CFLAGS": "-DOPEN", "CROSS_COMPILE": "evil-", "MAKEFLAGS":
           "CFG_INSECURE=y", "MAKEFILES": "/evil.mk", "GNUMAKEFLAGS": "-e", "CC": "evil", "CPATH": "/evil",
           "C_INCLUDE_PATH": "/evil", "COMPILER_PATH": "/evil", "LD_PRELOAD": "", "PYTHONPATH": "/evil",
           "PYTHONSTARTUP": "/evil", "APT_CONFIG": "/evil", "ENV": "/evil", "OPENSSL_CONF": "/evil",
           "SOURCE_DATE_EPOCH": "1", "KBUILD_OUTPUT": "/evil", "ROT_KEY": "/evil", "TA_PUBLIC_KEY": "/evil",
           "BASH_ENV": "/evil"}


class Environment(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mitral-stages-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.recipe = self.folder / "shows.sh"
        self.recipe.write_text('env -0 >"$OUT/seen"\numask >"$OUT/umask"\n')

    def seen(self, stage=None, **environment):
        stage = stage or Stage("shows", self.recipe, settings={"MIRROR": "m"})
        with mock.patch.dict(os.environ, environment):
            Workshop(self.folder / "out", {"ROOT": "/r"}, {"ROT_SIGNER": "token"}).run(stage, self.output(stage))
        lines = (self.folder / "out" / stage.name / "seen").read_text().split("\0")
        return dict(line.split("=", 1) for line in lines if line)

    def output(self, stage):
        output = self.folder / "out" / stage.name
        output.mkdir(parents=True, exist_ok=True)
        return output

    def test_nothing_of_the_caller_reaches_a_recipe(self):
        clean = self.seen()
        self.assertEqual(self.seen(**HOSTILE), clean)
        allowed = {"PATH", "HOME", "LC_ALL", "TMPDIR", "OUT", "ROOT", "MIRROR", "PWD", "OLDPWD", "SHLVL", "_",
                   "http_proxy", "https_proxy", "no_proxy"}
        self.assertLessEqual(set(clean), allowed)
        self.assertEqual(list(Path(clean["HOME"]).iterdir()), [])

    def test_control_the_same_recipe_started_by_hand_shows_them(self):
        where = self.folder / "by-hand"
        where.mkdir()
        subprocess.run(["sh", str(self.recipe)], env={**os.environ, **HOSTILE, "OUT": str(where)}, check=True)
        self.assertIn("CFG_INSECURE=y", (where / "seen").read_text().split("\0"))

    def test_the_caller_s_umask_does_not_matter(self):
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        self.seen()
        self.assertEqual((self.folder / "out" / "shows" / "umask").read_text().strip(), "0022")

    def test_only_a_stage_that_signs_hears_of_the_keys(self):
        self.assertNotIn("ROT_SIGNER", self.seen())
        self.assertEqual(self.seen(Stage("signs", self.recipe, signs=True))["ROT_SIGNER"], "token")

    def test_a_recipe_that_fails_stops_the_build_with_its_last_lines(self):
        self.recipe.write_text("echo the reason\nexit 3\n")
        with self.assertRaisesRegex(StageFailed, "the reason"):
            self.seen()


class Shared(unittest.TestCase):
    """A stage that is the same in every flavour is made once, where that of development is."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mitral-stages-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.recipe = self.folder / "counts.sh"
        self.recipe.write_text('echo made >>"$COUNT"\n[ -z "${BASE:-}" ] || cp "$BASE/made" .\necho "$WORD" >made\n')

    def make(self, flavour, word="same"):
        common = self.folder / "development"
        shop = Workshop(self.folder / flavour, {"COUNT": str(self.folder / "count"), "WORD": word}, None, common)
        (self.folder / flavour).mkdir(exist_ok=True)
        base = Stage("base", self.recipe, words=(word,), shared=True)
        shop.make(base)
        shop.make(Stage("own", self.recipe, words=(flavour,), after=("base",)))
        return (self.folder / flavour / "base" / "made").read_text().strip()

    def times(self):
        return len((self.folder / "count").read_text().splitlines())

    def test_the_second_flavour_finds_it_made(self):
        self.make("development")
        self.make("production")
        self.assertEqual(self.times(), 3)

    def test_one_that_has_changed_is_made_again_for_both(self):
        self.make("development", "old")
        self.assertEqual(self.make("production", "new"), "new")
        self.assertEqual(self.make("development", "new"), "new")
        self.assertEqual(self.times(), 5)


class OpteeSettings(unittest.TestCase):
    ASKED = "PLATFORM=x CFG_INSECURE=n CFG_REE_FS_TA=n\nCFG_CORE_ASLR=y O=/out"
    BUILT = "PLATFORM=x\nCFG_CORE_ASLR=y\nCFG_INSECURE=n\nCFG_REE_FS_TA=n\nCFG_OTHER=y\n"

    def wrong(self, built):
        with tempfile.TemporaryDirectory() as folder:
            asked, conf = Path(folder, "asked"), Path(folder, "conf.mk")
            asked.write_text(self.ASKED)
            conf.write_text(built)
            done = subprocess.run([sys.executable, optee_settings.__file__, asked, conf], capture_output=True,
                                  text=True, check=False)
        return done.returncode, done.stderr

    def test_what_was_asked_for_is_there(self):
        self.assertEqual(self.wrong(self.BUILT), (0, ""))

    def test_a_setting_turned_round_is_found(self):
        for name, value in (("CFG_INSECURE", "n"), ("CFG_REE_FS_TA", "n"), ("CFG_CORE_ASLR", "y")):
            other = "y" if value == "n" else "n"
            status, told = self.wrong(self.BUILT.replace(f"{name}={value}", f"{name}={other}"))
            self.assertEqual(status, 1)
            self.assertIn(f"{name} is {other}, asked for {value}", told)

    def test_a_setting_that_optee_does_not_know_is_found(self):
        status, told = self.wrong(self.BUILT.replace("CFG_REE_FS_TA=n\n", ""))
        self.assertEqual(status, 1)
        self.assertIn("CFG_REE_FS_TA is unknown to OP-TEE", told)

    def test_the_recipe_asks_for_what_custody_needs(self):
        recipe = (ROOT / "board" / "qemu" / "recipes" / "optee-core.sh").read_text()
        words = optee_settings.asked(recipe)
        needed = {"CFG_INSECURE": "n", "CFG_REE_FS_TA": "n", "CFG_CORE_ASLR": "y", "CFG_RPMB_TESTKEY": "n",
                  "CFG_EARLY_TA": "y"}
        self.assertEqual({name: words.get(name) for name in needed}, needed)
        for name in ("optee-core.sh", "optee.sh"):
            self.assertIn("optee_settings.py", (ROOT / "board" / "qemu" / "recipes" / name).read_text())


class Recipes(unittest.TestCase):
    def test_whoever_brings_packages_lists_them(self):
        brings = [path for path in sorted(ROOT.glob("board/*/recipes/*.sh")) if "mmdebstrap " in path.read_text()
                  or "apt-get " in path.read_text()]
        self.assertEqual({path.stem for path in brings}, {"cross-root", "packages", "root"})
        for path in brings:
            self.assertIn("inventory.py", path.read_text(), path.name)

    def test_the_root_file_system_takes_the_kernel_s_settings_along(self):
        recipe = (ROOT / "board" / "qemu" / "recipes" / "root.sh").read_text()
        self.assertRegex(recipe, r"install .*sysctl\.conf.* tree/etc/sysctl\.d/")


class Sources(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mitral-sources-")
        self.addCleanup(folder.cleanup)
        self.store, self.link = Path(folder.name, "store"), Path(folder.name, "sources", "p_1.dsc")
        self.store.mkdir()
        (self.store / "p_1.dsc").write_text("described")
        pinned = {"p_1.dsc": hashlib.sha256(b"described").hexdigest()}
        for patch in (mock.patch.object(sources, "pinned", lambda: pinned),
                      mock.patch.dict(os.environ, MITRAL_SOURCES=str(self.store))):
            patch.start()
            self.addCleanup(patch.stop)

    def gather(self):
        self.assertEqual(sources.gather("p", self.link.parent)[0].read_text(), "described")
        return self.link.lstat().st_ctime_ns

    def test_a_link_that_is_right_is_not_made_again(self):
        first = self.gather()
        self.assertEqual(self.gather(), first)

    def test_one_that_leads_elsewhere_is(self):
        self.gather()
        self.link.unlink()
        self.link.symlink_to("/nowhere")
        self.gather()
        self.assertEqual(self.link.readlink(), self.store / "p_1.dsc")


if __name__ == "__main__":
    main()
