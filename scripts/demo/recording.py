"""The recorded patients of tests/data as lines of mitral.lines/1.

An empty cell is "nothing recorded" and is left out; a 0 is "not measured" and becomes an absence: a
0 must never leave the gateway as a vital sign.
"""
import csv
import pathlib

# column of the recording -> (code, UCUM unit)
NUMERICS = {
    "HR [bpm]": ("MDC_ECG_HEART_RATE", "/min"),
    "ABPSys [mmHg]": ("MDC_PRESS_BLD_ART_SYS", "mm[Hg]"),
    "ABPDias [mmHg]": ("MDC_PRESS_BLD_ART_DIA", "mm[Hg]"),
    "ABPMean [mmHg]": ("MDC_PRESS_BLD_ART_MEAN", "mm[Hg]"),
    "PULSE [bpm]": ("MDC_PULS_OXIM_PULS_RATE", "/min"),
    "RESP [pm]": ("MDC_RESP_RATE", "/min"),
    "SpO2 [%]": ("MDC_PULS_OXIM_SAT_O2", "%"),
    "NBPSys [mmHg]": ("MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]"),
    "NBPDias [mmHg]": ("MDC_PRESS_BLD_NONINV_DIA", "mm[Hg]"),
    "NBPMean [mmHg]": ("MDC_PRESS_BLD_NONINV_MEAN", "mm[Hg]"),
}
# column -> (code, unit, scale in decimal text: 1/gain of the recording)
WAVES = {
    "II [mV]": ("MDC_ECG_ELEC_POTL_II", "mV", "0.000438"),
    "V [mV]": ("MDC_ECG_ELEC_POTL_V", "mV", "0.000539"),
    "PLETH [NU]": ("MDC_PULS_OXIM_PLETH", "1", "0.000800"),
}
WAVE_RATE = "250"


def numerics(directory):
    """Rows of (code, unit, text or None): None stands for "not measured"."""
    rows = []
    with (pathlib.Path(directory) / "icu-numerics.csv").open(newline="", encoding="utf-8") as file:
        for record in csv.DictReader(file):
            row = []
            for column, (code, unit) in NUMERICS.items():
                text = record[column].strip()
                if text:
                    row.append((code, unit, None if is_not_measured(text) else text))
            if row:
                rows.append(row)
    return rows


def is_not_measured(text):
    return float(text) <= 0


def wave_blocks(directory, samples_per_block=500):
    """Blocks of [(code, unit, scale, samples)], all channels of the same stretch of time."""
    columns = {column: [] for column in WAVES}
    blocks = []
    with (pathlib.Path(directory) / "icu-waves-250hz.csv").open(newline="", encoding="utf-8") as file:
        for record in csv.DictReader(file):
            for column, samples in columns.items():
                samples.append(int(record[column]))
            if len(next(iter(columns.values()))) == samples_per_block:
                blocks.append([(*WAVES[column], samples) for column, samples in columns.items()])
                columns = {column: [] for column in WAVES}
    return blocks
