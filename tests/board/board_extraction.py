#!/usr/bin/python3
"""No key of the unit is in what the normal world can read: its memory as the machine has it, the disk, the consoles.

What is the secure world's alone is left out by the machine's own map, and does hold the key. The same search finds the
key when the `software` back end keeps it, on the same board, and finds what was put into the normal world's memory.
"""
import os
import socket
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

import attacker  # noqa: E402
import board_chain  # noqa: E402
import provisioned  # noqa: E402
from inspector import NORMAL, Inspector  # noqa: E402
from support.proves import main, proves  # noqa: E402
from support.secret_search import Search, forms_of  # noqa: E402

TIMES = 34  # × 3 kinds of token: more than a hundred
DRAM = (0x40000000, 0x80000000)
SECURE_RAM = (0x0E000000, 0x0F000000)
DATAGRAM = 4096
CRASH = ("echo /run/core.%p >/proc/sys/kernel/core_pattern; dead=$(busybox pidof mitral-vault); kill -ABRT $dead; "
         "while now=$(busybox pidof mitral-vault); [ -z \"$now\" ] || [ \"$now\" = \"$dead\" ]; do busybox usleep 100000; done; "
         "until systemctl is-active --quiet mitral-vault; do busybox usleep 100000; done")


class Extraction(provisioned.Provisioned):
    def live(self, backend):
        """A unit with keys that this host knows, after a hundred tokens."""
        self.keys = provisioned.Keys()
        self.planted = os.urandom(32)
        self.set_up(self.keys.public, backend)
        self.attacker = attacker.Attacker(self.unit)
        self.addCleanup(self.attacker.close)
        self.unit.start(*Inspector.arguments(self.unit), *self.attacker.arguments())
        self.unit.wait_for(board_chain.CONFIRMED, within=600)
        self.inspector = Inspector(self.unit)
        self.addCleanup(self.inspector.close)
        given = self.provision(self.keys)
        self.assertEqual(0, given.returncode, given.stderr)
        tokens = [line for line in self.exercised(TIMES) if "token" in line]
        self.assertGreater(len(tokens), 100)
        self.plant()

    def another(self, name):
        return attacker.taken(super().another(name))

    def plant(self):
        """Each shape of a key that is none, twice: what carries datagrams on the unit keeps the last one's end."""
        shapes = b"".join(forms_of(self.planted).values())
        datagram = (bytes([0xFF]) * DATAGRAM + 2 * shapes)[-DATAGRAM:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as vault:
            vault.settimeout(300)
            vault.connect(str(self.socket))
            vault.send(datagram)
            vault.recv(DATAGRAM)

    def search(self):
        return Search({"device key": self.keys.device, "module key": self.keys.module, "group key": self.keys.group,
                       "subject key": self.keys.subject, "planted": self.planted}, halves=True)

    def in_memory(self):
        """What the normal world's memory holds, of which most is the machine's main memory."""
        self.assertIn(DRAM, self.inspector.memory(NORMAL))
        self.assertIn(SECURE_RAM, self.inspector.secure_only())
        search, found = self.search(), set()
        for piece in self.inspector.dump():
            found.update(search.in_file(piece))
        self.assertGreater(search.searched, 64 << 20)
        return found

    def in_files(self):
        """What the unit's disk and flash, its consoles and QEMU's own log hold."""
        (self.unit.folder / "console").write_bytes(self.unit.said)
        found = {}
        for path in self.unit.folder.iterdir():
            if path.is_file():
                found[path.name] = self.search().in_file(path)
        self.assertLessEqual({"disk.image", "flash.bin", "console"}, set(found))
        return {name: finds for name, finds in found.items() if finds}

    def all_planted(self):
        return {f"planted ({form})" for form in forms_of(self.planted)}

    @proves("T-KEY-01", "T-KEY-02", "CR 1.14", "CR 4.1")
    def test_with_optee_the_key_is_nowhere(self):
        self.live("optee")
        self.assertEqual(self.in_memory(), self.all_planted())
        held = {find for memory in self.inspector.qemu_holds(SECURE_RAM[1] - SECURE_RAM[0])
                for find in self.search().in_bytes(memory)}
        self.assertIn("device key (raw)", held)  # control: the secure world has it, and none of the others'
        self.assertFalse([find for find in held if find.startswith("group key")])
        # A vault that dies leaves no core file: not on the disk, nor in what the unit keeps in memory.
        self.attacker.must(CRASH)
        self.exercised(1)  # the next one serves
        self.assertLessEqual(self.in_memory(), self.all_planted())
        self.attacker.must(f"busybox printf '{escaped(self.planted)}' | "
                           "busybox dd of=/dev/vda1 bs=512 seek=16000 conv=fsync")  # where nothing stands
        self.unit.stop()
        self.assertEqual(self.in_files(), {"disk.image": ["planted (raw)"]})

    @proves("T-KEY-01")
    def test_control_with_the_software_back_end_it_is_found(self):
        self.live("software")
        found = self.in_memory()
        self.assertIn("device key (raw)", found)
        self.assertLessEqual(self.all_planted(), found)
        self.assertFalse([find for find in found if find.startswith("group key")])
        self.unit.stop()


def escaped(data):
    return "".join(f"\\x{byte:02x}" for byte in data)


if __name__ == "__main__":
    main()
