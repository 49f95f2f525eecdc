# SPDX-License-Identifier: Apache-2.0
"""A terminal's screen as SVG: the letters where the program's bytes put them, in the tones they
asked for; light or dark as the reader's desktop is."""

import re
from xml.sax.saxutils import escape

from terminal import Screen

COLUMN, LINE, SIZE, EDGE, HEAD = 8.4, 18, 14, 14, 26
# What the program may ask for by `ESC [ … m`, and the class that draws it.
TONES = {"": "", "0": "", "1": "bold", "2": "dim", "32": "good", "33": "warn", "1;31": "bad"}
STYLE = """
text{font:%dpx ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#24292f;
white-space:pre}
rect{fill:#ffffff;stroke:#d0d7de}circle{fill:#d0d7de}.bold{font-weight:700}.dim{fill:#6e7781}
.good{fill:#116329}.warn{fill:#7d4e00}.bad{fill:#b3121d;font-weight:700}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#0d1117;stroke:#30363d}
circle{fill:#30363d}.dim{fill:#8b949e}.good{fill:#3fb950}.warn{fill:#d29922}.bad{fill:#ff7b72}}
""" % SIZE


class Painted(Screen):
    """A screen that remembers in which tone each letter was written."""

    def __init__(self, width, height):
        self.tones, self.tone = {}, ""
        super().__init__(width, height)

    def escape(self, number, kind):
        if kind == "m":
            self.tone = TONES.get(number, "")
        super().escape(number, kind)

    def letter(self, letter):
        super().letter(letter)
        if letter >= " ":
            self.tones[self.row, self.column - 1] = self.tone

    def rows(self):
        """[[(column, text, tone)]] of what is shown, from the first line that is not empty."""
        first = max(0, len(self.lines) - self.height)
        rows = [self.pieces(row) for row in range(first, len(self.lines))]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def pieces(self, row):
        """Letters of one tone that follow each other, without spaces at the ends."""
        pieces = []
        for match in re.finditer(r"\S+(?: \S+)*", self.lines[row].rstrip()):
            column = match.start()
            for letter in match.group():
                tone = self.tones.get((row, column), "")
                if pieces and pieces[-1][2] == tone and \
                        pieces[-1][0] + len(pieces[-1][1]) == column:
                    pieces[-1] = (pieces[-1][0], pieces[-1][1] + letter, tone)
                else:
                    pieces.append((column, letter, tone))
                column += 1
        return pieces


def picture(rows, width, command):
    """SVG text. `command`: what was typed, shown above."""
    lines = [[(0, "$ " + command, "bold")], *rows]
    across = 2 * EDGE + COLUMN * width
    down = HEAD + EDGE + LINE * len(lines)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:.0f}" height="{down:.0f}" '
             f'viewBox="0 0 {across:.0f} {down:.0f}" role="img" '
             f'aria-label="{escape("terminal: " + command, {chr(34): "&quot;"})}">'
             f"<style>{STYLE}</style>"
             f'<rect x=".5" y=".5" width="{across - 1:.0f}" height="{down - 1:.0f}" rx="8"/>'
             + "".join(f'<circle cx="{EDGE + 4 + 16 * at}" cy="13" r="4.5"/>' for at in range(3))]
    for number, pieces in enumerate(lines):
        y = HEAD + LINE * number + SIZE
        parts += [text(EDGE + COLUMN * column, y, words, tone) for column, words, tone in pieces]
    return "\n".join((*parts, "</svg>", ""))


def text(x, y, words, tone):
    """So wide as its letters are on a terminal, whatever the font."""
    drawn = f' class="{tone}"' if tone else ""
    return (f'<text{drawn} x="{x:.1f}" y="{y}" textLength="{COLUMN * len(words):.1f}" '
            f'xml:space="preserve">{escape(words)}</text>')
