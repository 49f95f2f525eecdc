# SPDX-License-Identifier: Apache-2.0
"""The report: pages that real runs wrote, in Chromium, light and dark."""

import os
import subprocess

import own_view
import palette
from report import look, means_of_browser, serve

WIDE, HIGH = 1000, 1400
# A file system that is frozen for five seconds in the midst of a run.
RUN = ("run", "--target", "/mnt/data", "--size", "40m", "--duration", "40s", "--fail-after", "4s",
       "--canary", "no", "--label", "build=1.4.2", "--quiet")
FREEZE = "sleep 22; fsfreeze -f /mnt/data; sleep 5; fsfreeze -u /mnt/data"
STALL = ("repro", "mmap-lock-fault", "--label", "build=1.4.2", "--quiet")


class NoPicture(Exception):
    """Why there is none."""


def page_of(command, beside, path):
    """report.html as the run wrote it."""
    done = subprocess.run(
        own_view.words(command, beside, f'cp {own_view.LATEST}/report.html "{path}"'),
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
        env=own_view.environment())
    if not os.path.exists(path):
        raise NoPicture(f"{command[0]}: exit {done.returncode}: {done.stderr[-300:]}")


def make(space, out, checks):
    """Writes them; `out`: place of a picture by its name."""
    lack = means_of_browser()
    if lack:
        raise NoPicture(lack)
    pages = space.new("pages")
    os.mkdir(pages)
    page_of(RUN, FREEZE, os.path.join(pages, "run.html"))
    page_of(STALL, "", os.path.join(pages, "stall.html"))
    base = serve(pages, checks)
    shot = {name: space.new("shot") + ".png"
            for name in ("report.png", "report-dark.png", "report-incident.png")}
    usual = {"width": WIDE, "height": HIGH, "scripts": False}
    seen = look([
        # Below the head, which names the machine.
        {**usual, "name": "report", "url": f"{base}/run.html", "at": "#verdict",
         "shot": shot["report.png"]},
        {**usual, "name": "dark", "url": f"{base}/run.html", "scheme": "dark", "at": "#verdict",
         "shot": shot["report-dark.png"]},
        {**usual, "name": "incident", "url": f"{base}/stall.html", "at": "#incident-001",
         "shot": shot["report-incident.png"]}], space, 90)
    problems = [each["problem"] for each in seen.values() if "problem" in each]
    if problems:
        raise NoPicture(problems[0])
    for name, path in shot.items():
        with open(path, "rb") as stream:
            made = palette.small(stream.read())
        with open(out(name), "wb") as stream:
            stream.write(made)
