#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the dashboards that this folder describes as JSON files beside it, and the list of metrics
in README.md; with --check it only says which of them are not what the descriptions say."""

import argparse
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import fleet  # noqa: E402
import incident  # noqa: E402
import reference  # noqa: E402
import soak  # noqa: E402

PLACE = os.path.dirname(HERE)
MADE = {"soak.json": soak.make, "incident.json": incident.make, "fleet.json": fleet.make}


def as_text(document):
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def differs(path, wanted):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read() != wanted
    except OSError:
        return True


def write(path, content):
    with open(path + ".new", "w", encoding="utf-8") as stream:
        stream.write(content)
    os.replace(path + ".new", path)


def wanted_files():
    made = {name: as_text(make()) for name, make in MADE.items()}
    return made | {"README.md": reference.with_reference(made)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = 0
    for name, wanted in wanted_files().items():
        path = os.path.join(PLACE, name)
        if not differs(path, wanted):
            continue
        stale += 1
        if check:
            print(f"dashboards/{name} is not what its description says; run "
                  "dashboards/source/make.py")
        else:
            write(path, wanted)
            print(f"dashboards/{name} written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
