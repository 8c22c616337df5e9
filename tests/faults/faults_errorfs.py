"""The error file system: without a rule it is a file system as any other; each rule strikes as often as it says."""
import errno
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from faults.errorfs import ErrorFs, WrongRule
from support.proves import main

PROGRAM = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "tests/faults/errorfs"


@unittest.skipUnless(os.geteuid() == 0, "needs root to mount")
class FileSystem(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mitral-errorfs-test-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.root.chmod(0o755)
        (self.root / "backing").mkdir()
        self.fs = ErrorFs(PROGRAM, self.root / "backing", self.root / "mount")
        self.addCleanup(self.fs.unmount)
        self.fs.mount()
        self.at = self.root / "mount"

    def assert_fails(self, code, call, *arguments):
        with self.assertRaises(OSError) as failed:
            call(*arguments)
        self.assertEqual(failed.exception.errno, code, failed.exception)

    def file(self, name="a.seg", flags=os.O_RDWR | os.O_CREAT):
        descriptor = os.open(self.at / name, flags, 0o640)
        self.addCleanup(os.close, descriptor)
        return descriptor

    def directory(self):
        descriptor = os.open(self.at, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, descriptor)
        return descriptor

    # -- without a rule ----------------------------------------------------------------------------
    def test_it_is_a_file_system(self):
        file = self.file()
        self.assertEqual(os.pwrite(file, b"x" * 1_000_000, 0), 1_000_000)
        self.assertEqual(os.pwrite(file, b"yes", 999_999), 3)
        os.fsync(file), os.fdatasync(file), os.fsync(self.directory())
        self.assertEqual(os.pread(file, 10, 999_998), b"xyes")
        os.posix_fallocate(file, 0, 2_000_000)
        os.ftruncate(file, 5)
        self.assertEqual((self.root / "backing/a.seg").read_bytes(), b"xxxxx")
        os.rename(self.at / "a.seg", self.at / "b.seg")
        os.mkdir(self.at / "sub", 0o750)
        os.link(self.at / "b.seg", self.at / "sub/c.seg")
        self.assertEqual(sorted(os.listdir(self.at)), ["b.seg", "sub"])
        os.unlink(self.at / "b.seg"), os.unlink(self.at / "sub/c.seg"), os.rmdir(self.at / "sub")
        self.assertEqual(os.pwrite(file, b"gone", 0), 4)  # unlinked, but open
        self.assertEqual((os.fstat(file).st_nlink, os.pread(file, 9, 0)), (0, b"gonex"))
        self.assertEqual(os.listdir(self.at), [])
        self.assertGreater(os.statvfs(self.at).f_blocks, 0)
        with open(self.at / "log", "a", encoding="ascii") as log:
            log.write("1"), log.flush(), log.write("2")
        self.assertEqual((self.root / "backing/log").read_text(), "12")

    def test_files_belong_to_their_makers_and_permissions_hold(self):
        nobody = pwd.getpwnam("nobody")
        (self.at / "shared").mkdir()
        os.chown(self.at / "shared", nobody.pw_uid, 4)
        (self.at / "shared").chmod(0o2750)
        (self.at / "closed").mkdir(mode=0o700)
        script = ("import os,sys\nos.chdir(sys.argv[1])\nopen('shared/f','w').close(); os.mkdir('shared/d')\n"
                  "try:\n open('closed/f','w')\nexcept PermissionError:\n sys.exit(7)\n")
        done = subprocess.run([sys.executable, "-c", script, self.at], user=nobody.pw_uid, group=nobody.pw_gid,
                              extra_groups=[], check=False)
        self.assertEqual(done.returncode, 7)
        for name, setgid in (("f", 0), ("d", 0o2000)):
            made = os.stat(self.root / "backing/shared" / name)
            self.assertEqual((made.st_uid, made.st_gid, made.st_mode & 0o2000), (nobody.pw_uid, 4, setgid))

    # -- with rules --------------------------------------------------------------------------------
    def test_each_operation_fails_when_told_and_works_again(self):
        def open_file():
            os.close(os.open(self.at / "a.seg", os.O_RDONLY))

        def create():
            os.close(os.open(self.at / "new.seg", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            os.unlink(self.at / "new.seg")

        def make_directory():
            os.mkdir(self.at / "d.seg")
            os.rmdir(self.at / "d.seg")

        def remove():
            shutil.copyfile(self.root / "backing/a.seg", self.root / "backing/x.seg")
            os.unlink(self.at / "x.seg")

        def rename():
            os.rename(self.at / "a.seg", self.at / "b")
            os.rename(self.at / "b", self.at / "a.seg")
            os.rename(self.at / "a.seg", self.at / "a.seg")

        def link():
            os.link(self.at / "a.seg", self.at / "l.seg")
            os.unlink(self.at / "l.seg")

        file, directory = self.file(), self.directory()
        calls = {"open": open_file, "create": create, "read": lambda: os.pread(file, 4, 0),
                 "write": lambda: os.pwrite(file, b"x", 0), "fsync": lambda: os.fsync(file),
                 "fdatasync": lambda: os.fdatasync(file), "fsyncdir": lambda: os.fsync(directory),
                 "rename": rename, "unlink": remove, "truncate": lambda: os.ftruncate(file, 1),
                 "fallocate": lambda: os.posix_fallocate(file, 0, 10), "mkdir": make_directory,
                 "rmdir": make_directory, "link": link, "readdir": lambda: os.listdir(self.at),
                 "statfs": lambda: os.statvfs(self.at)}
        for op, call in calls.items():
            with self.subTest(op):
                call()  # the control
                self.fs.add("one", op, "*.seg" if op not in ("fsyncdir", "readdir", "statfs") else "*",
                            errno="EIO", count=1)
                self.assert_fails(errno.EIO, call)
                self.assertEqual(self.fs.fired("one"), 1)
                if op == "rmdir":
                    os.rmdir(self.at / "d.seg")
                call()
                self.assertEqual(self.fs.fired("one"), 1)
                self.fs.clear()

    def test_it_strikes_from_the_nth_match_on_and_only_what_the_pattern_names(self):
        here, there = self.file(), self.file("b.txt")
        self.fs.add("third", "write", "*.seg", errno="ENOSPC", nth=3, count=2)
        results = []
        for _ in range(6):
            os.pwrite(there, b"x", 0)
            try:
                results.append(os.pwrite(here, b"x", 0))
            except OSError as error:
                results.append(-error.errno)
        self.assertEqual(results, [1, 1, -errno.ENOSPC, -errno.ENOSPC, 1, 1])
        self.assertEqual(self.fs.rules(), {"third": (6, 2)})
        os.mkdir(self.at / "vitals")
        self.fs.add("deep", "create", "vitals/*", errno="EIO")
        self.assert_fails(errno.EIO, self.file, "vitals/1.seg")

    def test_short_and_torn_writes(self):
        file = self.file()
        self.fs.add("short", "write", short=7, count=1)
        self.assertEqual(os.pwrite(file, b"0123456789", 0), 7)
        self.assertEqual(os.pwrite(file, b"789", 7), 3)  # the control
        self.fs.add("torn", "write", torn=4)
        self.assertEqual(os.pwrite(file, b"abcdefgh", 10), 4)
        self.assert_fails(errno.EIO, os.pwrite, file, b"efgh", 14)
        self.assert_fails(errno.EIO, os.fsync, file)
        self.assert_fails(errno.EIO, os.stat, self.at / "a.seg")
        self.assert_fails(errno.EIO, os.listdir, self.at)
        self.fs.clear("torn")
        self.assertEqual(os.pread(file, 99, 0), b"0123456789abcd")

    def test_a_slow_disk_waits_and_does_not_fail(self):
        file = self.file()
        self.fs.add("slow", "fsync", delay_ms=300, count=1)
        start = time.monotonic()
        os.fsync(file)
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        self.assertEqual(self.fs.fired("slow"), 1)
        start = time.monotonic()
        os.fsync(file)
        self.assertLess(time.monotonic() - start, 10)  # does not hang

    def test_a_full_and_a_read_only_disk(self):
        file = self.file()
        self.fs.add_full()
        self.assert_fails(errno.ENOSPC, os.pwrite, file, b"x", 0)
        self.assert_fails(errno.ENOSPC, self.file, "b.seg")
        self.assertEqual(self.fs.fired("full"), 2)
        self.fs.clear("full")
        self.fs.add_read_only()
        self.assert_fails(errno.EROFS, os.pwrite, file, b"x", 0)
        self.assert_fails(errno.EROFS, os.unlink, self.at / "a.seg")
        self.fs.clear()
        self.assertEqual(os.pwrite(file, b"x", 0), 1)

    def test_wrong_rules_are_refused(self):
        for words in (("sneeze", "*"), ("write", "*", "errno=0"), ("write", "*"), ("fsync", "*", "short=1"),
                      ("write", "*", "errno=5", "nth=0"), ("write", "*", "errno=5x"), ("write", "*", "rain=5"),
                      ("write",)):
            with self.assertRaises(WrongRule, msg=words):
                self.fs._order("add", "wrong", *words)
        self.assertEqual(self.fs.rules(), {})
        self.fs.add("twice", "write", errno="EIO")
        with self.assertRaises(WrongRule):
            self.fs.add("twice", "write", errno="EIO")

    # -- its end -----------------------------------------------------------------------------------
    def test_it_goes_with_files_open_after_a_crash_and_with_the_test_that_made_it(self):
        self.file()
        self.fs.unmount()
        self.assertFalse(os.path.ismount(self.at))
        self.fs.mount()
        self.fs.kill()
        self.assert_fails(errno.ENOTCONN, os.listdir, self.at)
        self.fs.unmount()
        self.assertEqual(os.listdir(self.at), [])
        script = ("import sys; from faults.errorfs import ErrorFs\n"
                  "ErrorFs(*sys.argv[1:]).mount(); import os; os.kill(os.getpid(), 9)")
        subprocess.run([sys.executable, "-c", script, PROGRAM, self.root / "backing", self.at], check=False)
        deadline = time.monotonic() + 20
        while os.path.ismount(self.at):
            self.assertLess(time.monotonic(), deadline)


if __name__ == "__main__":
    main()
