"""What is sent: lines of mitral.lines/1 with '#' where the sender puts the line's number."""
import json

import recording

SERIAL = "#" * 12

NUMERICS = (
    ("MDC_ECG_HEART_RATE", 62.8, "/min"), ("MDC_PULS_OXIM_SAT_O2", 97.2, "%"),
    ("MDC_PULS_OXIM_PULS_RATE", 63.1, "/min"), ("MDC_TTHOR_RESP_RATE", 18.5, "/min"),
    ("MDC_PRESS_BLD_ART_SYS", 121.4, "mm[Hg]"), ("MDC_PRESS_BLD_ART_DIA", 78.2, "mm[Hg]"),
    ("MDC_PRESS_BLD_ART_MEAN", 93.1, "mm[Hg]"), ("MDC_PRESS_BLD_VEN_CENT_MEAN", 8.4, "mm[Hg]"),
    ("MDC_TEMP_CORE", 36.80, "Cel"), ("MDC_PULS_OXIM_PERF_REL", 2.4, "%"),
    ("MDC_CONC_AWAY_CO2_EXP", 38.2, "mm[Hg]"), ("MDC_CO2_RESP_RATE", 18.0, "/min"))


def _observations(count):
    return [{"code": code, "value": value, "unit": unit}
            for code, value, unit in (NUMERICS[i % len(NUMERICS)] for i in range(count))]


def _text(line):
    return json.dumps(line, separators=(",", ":"))


def vitals(count, line_bytes=0):
    """One reading of `count` parameters; its id is made longer until the line, with its end, has `line_bytes`."""
    line = {"id": "b1-" + SERIAL, "time": "2026-01-01T00:00:00.000Z", "obs": _observations(count)}
    missing = line_bytes - len(_text(line)) - 1
    if line_bytes:
        if not 0 <= missing <= 64 - len(line["id"]):
            raise ValueError(f"{count} parameters do not fit a line of {line_bytes} bytes: {missing}")
        line["id"] = "b1-" + "0" * missing + SERIAL
    return _text(line)


def line_256():
    return [vitals(3, 256)]


def line_4k():
    """Monitor and ventilator of one bed: its published body is about 4 KB."""
    return [vitals(44)]


def line_4k_wave(data):
    """11 s of a recorded ECG lead: its published body, CBOR, is about 4 KB as well."""
    return [_waves_line(next(iter(recording.wave_blocks(data, samples_per_block=2850)))[:1])]


def _waves_line(block):
    waves = [{"code": code, "unit": unit, "rate": 250, "scale": float(scale), "samples": samples}
             for code, unit, scale, samples in block]
    return _text({"id": "b1-w-" + SERIAL, "time": "2026-01-01T00:00:00.000Z", "waves": waves})


WARD_BEDS = 32
WARD = ("32 beds, each a line with 12 parameters and a line with 3 waveforms of 250 Hz (a recorded ICU patient) a "
        "second: 64 lines, 384 observations, 24,000 samples a second; batched as installed")


def ward(data):
    """What one bed sends in a second. `data`: the folder of the recordings."""
    return [vitals(len(NUMERICS)), _waves_line(next(iter(recording.wave_blocks(data, samples_per_block=250))))]
