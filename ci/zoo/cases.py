# SPDX-License-Identifier: Apache-2.0
"""What there is to run, as `stallproof list scenarios --json` tells it: there is no second list."""

import json
import re
import subprocess

from program import BINARY

# "…summary (host; mmap_lock_cycle)"
TOLD = re.compile(r"\((?P<where>[^();]+); (?P<told_class>[\w/]+)\)$")
KINDS = ("--variant", "--fix")


class Case:
    """One way to run a scenario. `quiet`: it must not stall."""

    def __init__(self, scenario, told_class, kind, name, quiet):
        self.scenario, self.told_class = scenario, told_class
        self.kind, self.name, self.quiet = kind, name, quiet

    def __str__(self):
        return f"{self.scenario} {self.kind} {self.name}"

    def words(self):
        return ["repro", self.scenario, self.kind, self.name]


def listed():
    """The rows of `list scenarios`."""
    shown = subprocess.run([BINARY, "list", "scenarios", "--json"], capture_output=True, text=True,
                           timeout=20, check=True)
    return json.loads(shown.stdout)


def cases(rows, where="host"):
    """All cases of a list of {name, summary, quiet}, in its order."""
    found, scenario = [], None
    for row in rows:
        words = row["name"].split()
        if not words[0].startswith("--"):
            told = TOLD.search(row["summary"])
            if told is None:
                raise ValueError(f"scenario {row['name']}: no (where; class) in its summary")
            scenario = (row["name"], told["told_class"]) if told["where"] == where else None
        elif scenario is not None and words[0] in KINDS:
            found.append(Case(*scenario, words[0], words[1], bool(row.get("quiet"))))
    return found


def one_of_each(all_cases, turn=0):
    """One that stalls and one that stays quiet of each scenario; another one each `turn`."""
    kinds = {}
    for case in all_cases:
        kinds.setdefault((case.scenario, case.quiet), []).append(case)
    return [alike[turn % len(alike)] for alike in kinds.values()]
