# SPDX-License-Identifier: Apache-2.0
"""Panels of the dashboards, drawn from what a real Prometheus answered about real runs."""

import json
import os
import subprocess
import sys

import panels
from catalogue import PICTURES, TOP

MEASURE = os.path.join(TOP, "ci/measure/dashboards.py")
BEFORE_S, AFTER_S = 50, 10


class NoAnswers(Exception):
    """The measure failed: its answers are none to draw."""


def answers(space):
    """Directory with the answers to every query of each dashboard."""
    kept = space.new("kept")
    os.mkdir(kept)
    done = subprocess.run([sys.executable, MEASURE, "--keep", kept], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=240, check=False)
    if done.returncode != 0:
        raise NoAnswers(done.stdout.decode(errors="replace")[-600:])
    return kept


def around_the_stall(kept, title):
    """The minute that ends shortly after the last stall, and the answers of it."""
    begin, end = kept["window"]
    stood = [at for found in kept["answers"].get(f"{title}: annotation Stalls", [])
             for _, samples in found for at, _ in samples]
    last = max(stood, default=end)
    window = (max(begin, last - BEFORE_S), min(end, last + AFTER_S))

    def within(samples):
        if len(samples) < 2:
            return samples
        return [(at, value) for at, value in samples if window[0] <= at <= window[1]]
    cut = {place: [[(labels, within(samples)) for labels, samples in found] for found in each]
           for place, each in kept["answers"].items()}
    return {"window": window, "answers": cut}


def make(space, out, given=None):
    """Writes them; `given`: a directory with answers that are there already."""
    folder = given or answers(space)
    for picture in PICTURES:
        if picture.maker != "dashboard":
            continue
        name = os.path.basename(picture.sources[0])
        board = panels.files.load(name)
        with open(os.path.join(folder, name), encoding="utf-8") as stream:
            kept = json.load(stream)
        if name != "fleet.json":
            kept = around_the_stall(kept, board["title"])
        with open(out(picture.name), "w", encoding="utf-8") as stream:
            stream.write(panels.picture(panels.only(board, picture.words), kept))
