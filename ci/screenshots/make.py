#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of the documentation from real runs on this machine: the console at a real
terminal, the report in Chromium, the dashboards' panels with Prometheus. Needs root, FUSE, Chromium
with playwright-core (npm ci in ci/measure/browser) and Prometheus; takes about four minutes. What
was made is noted in examples/pictures/made.json, which check.py reads; README.md beside it shows
all of them."""

import argparse
import hashlib
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import console_pictures  # noqa: E402
import dashboard_pictures  # noqa: E402
import page  # noqa: E402
import report_pictures  # noqa: E402
from catalogue import LARGEST, MADE, PICTURES, path_of  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from program import Workspace  # noqa: E402

MAKERS = ("console", "report", "dashboard")


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def note_made():
    """What lies there now, by its content."""
    made = {each.name: {"sha256": digest(path_of(each.name)), "of": each.what}
            for each in PICTURES if os.path.exists(path_of(each.name))}
    with open(path_of(MADE), "w", encoding="utf-8") as stream:
        json.dump(made, stream, indent=1, sort_keys=True)
        stream.write("\n")


def make(maker, space, checks, kept):
    if maker == "console":
        console_pictures.make(space, path_of)
    elif maker == "report":
        report_pictures.make(space, path_of, checks)
    else:
        dashboard_pictures.make(space, path_of, kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("makers", nargs="*", choices=[*MAKERS, []], help="only these")
    parser.add_argument("--kept", help="answers that ci/measure/dashboards.py --keep left there")
    options = parser.parse_args()
    with Checks("screenshots", 420) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        os.makedirs(os.path.dirname(path_of(MADE)), exist_ok=True)
        for maker in options.makers or MAKERS:
            make(maker, space, checks, options.kept)
        for each in PICTURES:
            if each.maker in (options.makers or MAKERS):
                size = os.path.getsize(path_of(each.name)) if os.path.exists(
                    path_of(each.name)) else 0
                checks.check(f"{each.name}: {each.what}", 0 < size <= LARGEST, f"{size} bytes")
        with open(path_of("README.md"), "w", encoding="utf-8") as stream:
            stream.write(page.text(lambda name: os.path.exists(path_of(name))))
        note_made()
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
