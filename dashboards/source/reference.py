# SPDX-License-Identifier: Apache-2.0
"""Where each exported metric is shown: the list at the end of README.md."""

import os
import re

PLACE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADING = "## Where each metric is shown\n"
EXPORTED = re.compile(r"^\| `(stallproof_[a-z0-9_]+)`", re.M)
RULES = ("recording.yml", "alerts.yml")


def read(*path):
    with open(os.path.join(PLACE, *path), encoding="utf-8") as stream:
        return stream.read()


def names_in(text):
    """Metrics in a text; the parts of a histogram count for it."""
    return {re.sub(r"_(bucket|sum|count)$", "", name)
            for name in re.findall(r"\bstallproof_[a-z0-9_]+", text)}


def with_reference(boards):
    """README.md with a new list; `boards`: text of each dashboard by file name."""
    used = {name.removesuffix(".json"): names_in(text) for name, text in boards.items()}
    used |= {name.removesuffix(".yml"): names_in(read("rules", name)) for name in RULES}
    rows = [f"| `{metric}` | " + (", ".join(where for where, names in used.items()
                                           if metric in names) or "only exported") + " |\n"
            for metric in EXPORTED.findall(read("..", "harness/sink/METRICS.md"))]
    before = read("README.md").split(HEADING)[0]
    return (before + HEADING + "\nAll that is exported; what it means: "
            "[METRICS.md](../harness/sink/METRICS.md).\n\n| metric | shown or used in |\n"
            "|---|---|\n" + "".join(rows))
