"""What a run came to: figures with their bars, as a table, as JSON, as a picture."""
import dataclasses
import json
import statistics


@dataclasses.dataclass(frozen=True)
class Bar:
    """The value that has to be met, and from which side."""
    value: float
    at_most: bool

    def met_by(self, value):
        return value <= self.value if self.at_most else value >= self.value

    def __str__(self):
        return f"{'≤' if self.at_most else '≥'} {number(self.value)}"


def at_most(value):
    return Bar(value, True)


def at_least(value):
    return Bar(value, False)


@dataclasses.dataclass(frozen=True)
class Figure:
    """`bar` is None for what is reported beside; `details` are lines for people."""
    name: str
    value: float
    unit: str
    bar: Bar | None
    peers: dict
    details: list = dataclasses.field(default_factory=list)

    @property
    def met(self):
        return None if self.bar is None else self.bar.met_by(self.value)

    def entry(self):
        return {"name": self.name, "value": self.value, "unit": self.unit,
                "bar": None if self.bar is None else self.bar.value, "met": self.met, "peers": self.peers}


def number(value):
    """Three significant digits, large ones whole."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values, digits=2):
    """median [least..most]"""
    return f"{statistics.median(values):,.{digits}f} [{min(values):,.{digits}f}..{max(values):,.{digits}f}]"


def to_json(figures):
    return json.dumps([figure.entry() for figure in figures], indent=1, ensure_ascii=False) + "\n"


VERDICTS = {True: "met", False: "NOT MET", None: "-"}


def to_table(figures):
    rows = [("figure", "value", "unit", "bar", "", "peers")]
    rows += [(f.name, number(f.value), f.unit, "-" if f.bar is None else str(f.bar), VERDICTS[f.met],
              ", ".join(f"{name} {number(value)}" for name, value in f.peers.items())) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[5]]).rstrip() + "\n"
                   for row in rows)


def to_details(figures):
    return "".join(f"\n{figure.name}\n" + "".join(f"  {line}\n" for line in figure.details)
                   for figure in figures if figure.details)
