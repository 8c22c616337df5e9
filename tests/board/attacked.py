"""A provisioned unit on which somebody is root, and the verifier who keeps its marks, on the host."""
import base64
import os
import shutil
import subprocess
from pathlib import Path

import attacker
import board_chain
import provisioned

TEE = "$(busybox sed -n 's/.*--fs-parent-path=\\([^ ]*\\).*/\\1/p' /usr/lib/systemd/system/board-supplicant.service)"
FOUND = 2  # exit status of `mitral verify`


class Attacked(provisioned.Provisioned):
    def another(self, name):
        return attacker.taken(super().another(name))

    def taken_up(self):
        """Provisioned, and its marks recorded."""
        self.keys = provisioned.Keys()
        self.set_up(self.keys.public)
        self.attacker = attacker.Attacker(self.unit)
        self.addCleanup(self.attacker.close)
        self.start()
        self.unit.wait_for(board_chain.CONFIRMED)
        given = self.provision(self.keys)
        self.assertEqual(0, given.returncode, given.stderr)
        self.config = self.folder / "host.toml"
        self.config.write_text(f'[vault]\nsocket = "{self.socket}"\nstation_key = "{self.folder / "station.pub"}"\n',
                               encoding="utf-8")
        self.marks = self.folder / "unit.marks"
        nonce, answer = self.attested()
        self.assertEqual((0, ""), self.verify("--record", "--nonce", nonce, answer))

    def start(self):
        self.unit.start(*self.attacker.arguments())

    def mitral(self, *words):
        return subprocess.run([str(word) for word in (provisioned.BINARY / "bin/mitral", *words, "--config", self.config)],
                              capture_output=True, text=True, check=False, timeout=600)

    def attest(self, nonce):
        return self.mitral("attest", "--nonce", nonce)

    def attested(self):
        """A nonce, and the file of the unit's answer to it."""
        nonce = os.urandom(32).hex()
        for _ in range(5):  # a loaded machine may take longer than `mitral attest` waits
            done = self.attest(nonce)
            if done.returncode == 0:
                return nonce, self.text_file(done.stdout)
        raise AssertionError(done.stderr)

    def text_file(self, text):
        path = self.folder / f"evidence-{os.urandom(8).hex()}"
        path.write_text(text, encoding="ascii")
        return path

    def evidence_file(self, *evidence):
        return self.text_file("".join(base64.b64encode(each).decode() + "\n" for each in evidence))

    def verify(self, *words, marks=None):
        done = self.mitral("verify", "--marks", marks or self.marks, *words)
        self.assertIn(done.returncode, (0, FOUND), done.stderr)
        return done.returncode, done.stdout

    def finds(self, *words):
        """The findings, by a verifier who forgets them again."""
        marks = self.folder / f"marks-{os.urandom(8).hex()}"
        shutil.copyfile(self.marks, marks)
        status, said = self.verify(*words, marks=marks)
        self.assertEqual(status == FOUND, said != "")
        return said

    def power_cut(self):
        self.attacker.must("busybox sync")
        self.unit.stop()

    def ask(self, command, request):
        """Past the vault, which is stopped from the first such question on."""
        if self.attacker.run("systemctl is-active --quiet mitral-vault")[0] == 0:
            self.attacker.must("systemctl stop mitral-vault")
        return self.attacker.ask(command, request)

    def vault_again(self):
        self.attacker.must("systemctl start mitral-vault")
