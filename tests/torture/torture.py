#!/usr/bin/python3
"""Every fail-point × every fault, on running gateways of the torture build, with an independent ledger.

    torture.py [--seed N] [--pairs N] [--units N] [--only POINT:FAULT]… [--list]

Each pair: the gateway is led to the point, the fault strikes while a process stands there and is seen to strike, it is
lifted, and everything that was acknowledged has to arrive. Exit status 0: all pairs fired, nothing lost or altered.
"""
import argparse
import json
import os
import pathlib
import random
import selectors
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("MITRAL_BINARY_DIR", str(SOURCE / "build/torture"))
sys.path[:0] = [str(SOURCE / "scripts/demo"), str(SOURCE / "tests/faults"), str(SOURCE / "tests")]
import disturbances  # noqa: E402
import fail_points  # noqa: E402
import matrix  # noqa: E402

CONTROLS = (f"intake.answered:{disturbances.CONTROL.name}", f"{fail_points.NOWHERE.name}:kill")


class Worker:
    """Drives one unit, a pair at a time."""

    def __init__(self, number, options, folder):
        self.number, self.pending = number, None
        self.folder = folder / f"unit-{number}"
        self.errors = (folder / f"unit-{number}.err").open("w+")
        command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-B",
                   SOURCE / "tests/torture/player.py", "--folder", self.folder, "--programs", options.programs,
                   "--seed", options.seed + number, "--batch-interval", number % 2]
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True, bufsize=1)

    def give(self, pair):
        self.pending = pair
        self.process.stdin.write("|".join(pair) + "\n")

    def why(self):
        self.errors.seek(0)
        return self.errors.read()[-3000:]


class Run:
    def __init__(self, options, todo, folder):
        self.options, self.todo, self.folder = options, todo, folder
        self.total, self.again = len(todo), set()
        self.rows, self.ledgers, self.troubles = [], [], []

    def play(self):
        workers = [Worker(number, self.options, self.folder) for number in range(self.options.units)]
        watch = selectors.DefaultSelector()
        for worker in workers:
            watch.register(worker.process.stdout, selectors.EVENT_READ, worker)
        while watch.get_map():
            for key, _ in watch.select():
                line = key.fileobj.readline()
                if line:
                    self._take(key.data, json.loads(line))
                else:
                    watch.unregister(key.fileobj)
                    self._ended(key.data)
        return self.verdict()

    def _take(self, worker, row):
        if "pair" in row:
            worker.pending = None
            if self._missed(row):
                print(f"     again {row['pair'].replace('|', ' : '):58} {row['why']}", flush=True)
            else:
                self.rows.append(row)
                self._print(row)
        elif "ledger" in row:
            self.ledgers.append(row["ledger"])
            self.troubles += [f"unit {worker.number}: {text}" for text in row["examples"]]
        elif "trouble" in row:
            self.troubles.append(f"unit {worker.number}: {row['trouble']}")
        if "ready" in row or "pair" in row:
            if self.todo:
                worker.give(self.todo.pop())
            else:
                worker.process.stdin.close()

    def _missed(self, row):
        """A fault that struck beside the moment says nothing of the gateway: a second try, and no more."""
        pair = tuple(row["pair"].split("|"))
        if row["fired"] or "dead" in row or pair in self.again:
            return False
        self.again.add(pair)
        self.todo.append(pair)
        return True

    def _print(self, row):
        verdict = "ok  " if row["whole"] else "FAIL"
        text = row.get("seen", "") if row["whole"] else row["why"]
        print(f"{len(self.rows):4}/{self.total} {verdict} {row['pair'].replace('|', ' : '):58} "
              f"{row['seconds']:5.2f} s  {text}", flush=True)

    def _ended(self, worker):
        if worker.process.wait() != 0:
            self.troubles.append(f"unit {worker.number} ended with status {worker.process.returncode}, "
                                 f"pair {worker.pending}: {worker.why()}")

    def verdict(self):
        total = {key: sum(ledger[key] for ledger in self.ledgers) for key in
                 ("sent", "delivered", "gaps", "lost", "altered", "redelivered", "messages")} if self.ledgers else {}
        for text in self.troubles:
            print("  " + text)
        failed = [row for row in self.rows if not row["whole"]]
        for row in failed:
            print(f"  FAILED {row['pair'].replace('|', ':')}: {row['why']}")
        if total:
            print("ledger: " + " ".join(f"{key}={value}" for key, value in total.items()))
        points = {row["pair"].rpartition("|")[0] for row in self.rows}
        kinds = {row["pair"].rpartition("|")[2] for row in self.rows}
        fired = sum(row["fired"] for row in self.rows)
        print(f"torture: points={len(points)} faults={len(kinds)} pairs={len(self.rows)} fired={fired} "
              f"lost={total.get('lost', '?')} altered={total.get('altered', '?')}", flush=True)
        return (len(self.rows) == self.total == fired and not failed and not self.troubles
                and len(self.ledgers) == self.options.units and total["lost"] == total["altered"] == 0
                and total["sent"] > 0)


def chosen(options):
    pairs = [(point.name, fault.name) for point, fault in matrix.pairs()]
    if options.only:
        wanted = [text.rpartition(":")[::2] for text in options.only]
        pairs = [pair for pair in pairs if any(all(want in ("", one) for want, one in zip(names, pair))
                                               for names in wanted)]
        pairs += [tuple(text.rpartition(":")[::2]) for text in options.only if text in CONTROLS]
    order = random.Random(options.seed)
    order.shuffle(pairs)
    return pairs[:options.pairs or None]


def list_matrix():
    for point, fault in matrix.pairs():
        print(f"{point.name}:{fault.name}")
    for why, count in matrix.left_out().items():
        print(f"left out, {count}: {why}")
    print(f"{len(matrix.pairs())} pairs")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    built = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
    parser.add_argument("--programs", type=pathlib.Path, default=built / "bin", help="folder of the torture build")
    parser.add_argument("--seed", type=int, default=1, help="order of the pairs and all chance within them")
    parser.add_argument("--pairs", type=int, default=0, help="play only so many")
    parser.add_argument("--units", type=int, default=3 * (os.cpu_count() or 1), help="gateways at once")
    parser.add_argument("--only", action="append", metavar="POINT:FAULT",
                        help="this pair; repeatable; without one half: all of the other")
    parser.add_argument("--list", action="store_true", help="show the matrix and what is left out")
    parser.add_argument("--keep", action="store_true", help="keep the scratch directory, as a failed run does")
    parser.add_argument("--discard", action="store_true", help="never keep it")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.list:
        return list_matrix()
    todo = chosen(options)
    if not todo:
        sys.exit("torture: no such pair; --list shows them")
    options.units = min(options.units, len(todo))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mitral-torture-"))
    folder.chmod(0o755)
    begun = time.monotonic()
    good = Run(options, todo, folder).play()
    print(f"  {time.monotonic() - begun:.0f} s, seed {options.seed}")
    if options.discard or good and not options.keep:
        shutil.rmtree(folder)
    else:
        print(f"  logs and books are kept in {folder}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
