"""The summary as a picture: every figure against its bar, and the CPU figures beside their peers. Plain SVG."""
import math
from xml.sax.saxutils import escape

import summary

WIDTH, ROW, LABEL, VALUE = 900, 24, 240, 150
MET, MISSED, OURS, PEER = "#2e7d4f", "#b3362b", "#27548a", "#a9b4c0"
LEAST, MOST = 0.05, 20.0  # of the bar; beyond it is drawn at the edge


class Canvas:
    def __init__(self):
        self._parts, self.y = [], 16

    def text(self, x, text, anchor="start", weight="normal"):
        self._parts.append(f'<text x="{x:.0f}" y="{self.y + 16:.0f}" text-anchor="{anchor}" font-weight="{weight}">'
                           f"{escape(text)}</text>")

    def box(self, x, width, colour):
        self._parts.append(f'<rect x="{x:.1f}" y="{self.y + 4}" width="{max(width, 1):.1f}" height="{ROW - 8}" '
                           f'fill="{colour}"/>')

    def line(self, x, top):
        self._parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{self.y}" stroke="#333" '
                           'stroke-dasharray="3 3"/>')

    def down(self, rows=1.0):
        self.y += ROW * rows

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.y + 16:.0f}" '
                'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
                + "".join(self._parts) + "</svg>\n")


def load(figure):
    """How much of what the bar allows is used: 1 is the bar itself, less is better, whichever side it is on."""
    if figure.bar.value == 0:
        return LEAST if figure.met else MOST
    share = figure.value / figure.bar.value if figure.bar.at_most else figure.bar.value / max(figure.value, 1e-9)
    return min(max(share, LEAST), MOST)


def _against_bars(canvas, figures):
    canvas.text(16, "Against the bars (logarithmic; left of the dashed line: met)", weight="bold")
    canvas.down()
    top, room = canvas.y, WIDTH - LABEL - VALUE - 32
    place = lambda share: LABEL + room * math.log(share / LEAST) / math.log(MOST / LEAST)  # noqa: E731
    for figure in figures:
        canvas.text(16, figure.name)
        canvas.box(LABEL, place(load(figure)) - LABEL, MET if figure.met else MISSED)
        canvas.text(WIDTH - 16, f"{summary.number(figure.value)} {figure.unit} ({figure.bar})", "end")
        canvas.down()
    canvas.line(place(1), top)


def _beside_peers(canvas, figure):
    canvas.down(0.5)
    canvas.text(16, f"{figure.name}, {figure.unit}", weight="bold")
    canvas.down()
    rows = [("mitral", figure.value, OURS), *((name, value, PEER) for name, value in figure.peers.items())]
    most = max(value for _, value, _ in rows) or 1
    for name, value, colour in rows:
        canvas.text(16, name)
        width = (WIDTH - 2 * LABEL - 96) * value / most
        canvas.box(2 * LABEL, width, colour)
        canvas.text(2 * LABEL + width + 8, summary.number(value))
        canvas.down()


def to_svg(figures):
    canvas = Canvas()
    _against_bars(canvas, [figure for figure in figures if figure.bar is not None])
    for figure in figures:
        if len(figure.peers) > 1:
            _beside_peers(canvas, figure)
    return canvas.svg()
