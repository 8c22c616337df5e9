"""The machine QEMU plays: one description for the build and for the start."""
MACHINE = "virt,secure=on,gic-version=3,acpi=off"
PROCESSOR = ("-cpu", "cortex-a57", "-smp", "2", "-m", "1024")
SETTINGS = {"MACHINE": MACHINE, "PROCESSOR": " ".join(PROCESSOR)}
