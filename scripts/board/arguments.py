"""The kernel's command line: what both flavours of the image say, and what only one does (docs/hardening.md)."""

HARDENED = (
    "lockdown=confidentiality",  # root reads no kernel memory and loads no unsigned code
    "module.sig_enforce=1",
    "slab_nomerge",
    "init_on_alloc=1",
    "init_on_free=1",
    "page_alloc.shuffle=1",
    "randomize_kstack_offset=on",
    "debugfs=off",
    "oops=panic",
    "panic=1",
    "sysctl.kernel.sysrq=0",  # from the start, not only once a file of sysctl was read
    "quiet",
)
CONSOLE = {"development": "console=ttyAMA0",
           # No driver of this name: the kernel then opens no console at all.
           "production": "console=null"}
# What takes protection away, opens a shell or a console, or lets something else start.
FORBIDDEN = ("init", "rdinit", "single", "s", "S", "1", "emergency", "rescue", "nokaslr", "nopti", "kpti",
             "mitigations", "noexec", "rodata", "sysrq_always_enabled", "earlycon", "ignore_loglevel", "kgdboc",
             "debug", "systemd.debug_shell", "systemd.debug-shell", "systemd.unit", "rd.break", "rd.shell",
             "no_hash_pointers", "slub_debug", "slab_merge", "security", "lsm", "audit", "arm64.nobti",
             "arm64.nopauth", "arm64.nomte", "nosmp", "kasan", "module_blacklist", "root", "rw")


def command_line(flavour: str) -> str:
    return " ".join((CONSOLE[flavour], *HARDENED))


def faults(line: str) -> list[str]:
    """What is wrong with it on a unit in the field."""
    words = line.split()
    given = {word.partition("=")[0]: word for word in words}
    found = [f"{each} is missing" for each in (CONSOLE["production"], *HARDENED) if each not in words]
    found += [f"{word} opens a console" for word in words
              if word.startswith("console=") and word != CONSOLE["production"]]
    found += [f"{given[name]} must not be there" for name in FORBIDDEN if name in given]
    repeated = {name for name in given if sum(word.partition("=")[0] == name for word in words) > 1}
    return found + [f"{name} is said twice" for name in sorted(repeated)]
