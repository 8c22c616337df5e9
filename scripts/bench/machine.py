"""Where it was measured."""
import os
import pathlib
import platform
import subprocess


def _cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _filesystem(path):
    done = subprocess.run(["df", "--output=source,fstype", path], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.splitlines()[-1].split()) if done.returncode == 0 else "unknown"


def facts(disk):
    """Lines for the head of a report; `disk`: a path on what the spool is measured on."""
    return [f"{os.cpu_count()} cores, {_cpu_model()}", f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f}",
            f"spool on {_filesystem(disk)}"]
