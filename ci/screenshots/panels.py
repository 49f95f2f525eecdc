#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws our dashboards as one picture each, from what a real Prometheus answered
(`ci/measure/dashboards.py --keep DIR`): SVG, and PNG where rsvg-convert is installed. Not Grafana's
own rendering: the same panels, places, queries and colours."""

import argparse
import copy
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "ci/measure"), os.path.join(TOP, "dashboards/source")]

import dashboard_files as files  # noqa: E402
import grafana  # noqa: E402
from drawing import CELL, FRAME, Box, bands, caption, draw, heading  # noqa: E402

WIDTH = 1440


def only(board, titles):
    """The dashboard with these panels alone, in this order."""
    by_title = {panel["title"]: panel for panel in board["panels"] if panel["type"] != "row"}
    return {**board, "panels": grafana.placed([copy.deepcopy(by_title[each]) for each in titles])}


def picture(board, kept):
    """The dashboard as SVG text."""
    unit = (WIDTH - 2 * FRAME) / files.COLUMNS
    begin, end = kept["window"]
    height = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in board["panels"])
    parts, marked = [], bands(board, kept["answers"])
    for panel in board["panels"]:
        place = panel["gridPos"]
        box = Box(FRAME + place["x"] * unit, FRAME + 30 + place["y"] * CELL,
                  place["w"] * unit - 6, place["h"] * CELL - 6)
        if panel["type"] == "row":
            parts.append(heading(panel["title"], box))
            continue
        answers = kept["answers"].get(f"{board['title']}: {panel['title']}", [])
        parts.append(draw({**panel, "bands": marked}, answers, box, begin, end))
    total = int(2 * FRAME + 30 + height * CELL)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{total}" '
            'font-family="sans-serif" font-size="11">'
            f'<rect width="{WIDTH}" height="{total}" fill="#111217"/>'
            + caption(board["title"], FRAME, FRAME + 16) + "".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kept", help="directory given to ci/measure/dashboards.py --keep")
    parser.add_argument("out", help="directory for the pictures")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for name in files.NAMES:
        with open(os.path.join(options.kept, name), encoding="utf-8") as stream:
            kept = json.load(stream)
        svg = os.path.join(options.out, name.replace(".json", ".svg"))
        with open(svg, "w", encoding="utf-8") as stream:
            stream.write(picture(files.load(name), kept))
        if shutil.which("rsvg-convert"):
            subprocess.run(["rsvg-convert", "-o", svg.replace(".svg", ".png"), svg], check=True,
                           timeout=60)
        print(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
