"""What monitors send in the figures: HL7 v2 as IHE PCD-01 has it, with '#' where the sender puts a message's number."""
import hashlib

import recording

SERIAL = "#" * 12
TIME = "20260101100000.000+0100"
SENDER = "BENCH^0123456789ABCDEF^EUI-64"
BEATS, PERCENT, MMHG = "264864^MDC_DIM_BEAT_PER_MIN^MDC", "262688^MDC_DIM_PERCENT^MDC", "266016^MDC_DIM_MMHG^MDC"
BREATHS, CELSIUS = "264928^MDC_DIM_RESP_PER_MIN^MDC", "268192^MDC_DIM_DEGC^MDC"
NUMERICS = (
    ("147842^MDC_ECG_HEART_RATE", "63", BEATS), ("150456^MDC_PULS_OXIM_SAT_O2", "97.2", PERCENT),
    ("149530^MDC_PULS_OXIM_PULS_RATE", "63", BEATS), ("151578^MDC_TTHOR_RESP_RATE", "18", BREATHS),
    ("150033^MDC_PRESS_BLD_ART_SYS", "121", MMHG), ("150034^MDC_PRESS_BLD_ART_DIA", "78", MMHG),
    ("150035^MDC_PRESS_BLD_ART_MEAN", "93", MMHG), ("150087^MDC_PRESS_BLD_VEN_CENT_MEAN", "8.4", MMHG),
    ("150368^MDC_TEMP_CORE", "36.80", CELSIUS), ("150448^MDC_PULS_OXIM_PERF_REL", "2.4", PERCENT),
    ("151712^MDC_CONC_AWAY_CO2_EXP", "38.2", MMHG), ("151594^MDC_CO2_RESP_RATE", "18", BREATHS))
# Channel of the recording -> code and unit. Lead V goes as lead I, which has a number in the gateway's table.
WAVES = {"MDC_ECG_ELEC_POTL_II": ("131330^MDC_ECG_ELEC_POTL_II", "266418^MDC_DIM_MILLI_VOLT^MDC"),
         "MDC_ECG_ELEC_POTL_V": ("131329^MDC_ECG_ELEC_POTL_I", "266418^MDC_DIM_MILLI_VOLT^MDC"),
         "MDC_PULS_OXIM_PLETH": ("150452^MDC_PULS_OXIM_PLETH", "262656^MDC_DIM_DIMLESS^MDC")}
RATE = 250


def _head():
    return [f"MSH|^~\\&|{SENDER}|WARD|GATEWAY|HOSPITAL|{TIME}||ORU^R01^ORU_R01|{SERIAL}|P|2.6|||NE|AL||UNICODE UTF-8|||"
            "PCD_DEC_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
            "PID|||P000001^^^HOSP^PI||DOE^JANE^^^^^L||19500101|F", "PV1||I|ICU^1^B1",
            f"OBR|1|||182777000^monitoring of patient^SCT|||{TIME}",
            f"OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||{TIME}"]


def vitals():
    """One report of 12 parameters; 1.9 KB."""
    return "\n".join(_head() + [
        f"OBX|{i + 2}|NM|{code}^MDC|1.1.{i + 1}.1|{value}|{unit}|||||R|||{TIME}"
        for i, (code, value, unit) in enumerate(NUMERICS)]) + "\n"


def waves(data, samples):
    """One report of three recorded waveforms of 250 Hz."""
    rows, number = _head(), 2
    block = next(iter(recording.wave_blocks(data, samples_per_block=samples)))
    for channel, (code, _, scale, values) in enumerate(block):
        mdc, unit = WAVES[code]
        place = f"1.2.{channel + 1}.1"
        rows += [f"OBX|{number}|NA|{mdc}^MDC|{place}|{'^'.join(map(str, values))}|{unit}|||||R|||{TIME}",
                 f"OBX|{number + 1}|NM|67981^MDC_ATTR_SAMP_RATE^MDC|{place}.1|{RATE}|264608^MDC_DIM_PER_SEC^MDC|||||R",
                 f"OBX|{number + 2}|NM|2327^MDC_ATTR_NU_MSMT_RES^MDC|{place}.2|{scale}|{unit}|||||R"]
        number += 3
    return "\n".join(rows) + "\n"


def control_id(number):
    """Of the reading that message `number` becomes, as docs/formats say; computed outside of the gateway."""
    text = "\0".join((SENDER, f"{number:0{len(SERIAL)}d}", TIME))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
