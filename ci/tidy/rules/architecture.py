# SPDX-License-Identifier: Apache-2.0
"""The map of folders in harness/ARCHITECTURE.md has every folder there is, none that is gone, and
the includes that are allowed."""

import posixpath
import re

from source import Finding, line_of

from .include_direction import MAY_INCLUDE

NAME = "architecture"
PAGE = "harness/ARCHITECTURE.md"
ROW = re.compile(r"^\| `([\w./-]+)/` \| [^|]+ \| ?([\w, ]*?) ?\|$", re.M)
# How deep the map goes; folders of tests' own helpers are left out.
DEEP, SHALLOW = ("harness", "workloads"), ("ci",)
WORDS = {"EVENTS": "events", "ANY": "everything"}


def check(tree):
    page = tree.get(PAGE)
    if page is None:
        if "harness/CMakeLists.txt" in tree:
            yield Finding(PAGE, 1, NAME, "is not there: the map of folders and processes")
        return
    there = folders(tree)
    told = {}
    for row in ROW.finditer(page.text):
        folder, line = row[1], line_of(page.text, row.start())
        told[folder] = line
        if folder not in there:
            yield Finding(PAGE, line, NAME, f"{folder}/ is not there; delete its row")
        elif row[2] != may_include(folder):
            yield Finding(PAGE, line, NAME, f"{folder}/ may include: {may_include(folder) or '-'} "
                          "(ci/tidy/rules/include_direction.py); say so in its row")
    for folder in sorted(there - set(told)):
        yield Finding(PAGE, 1, NAME, f"no row for {folder}/; say what is there")


def may_include(folder):
    """In the words of the page; empty for folders without a rule of their own."""
    if folder not in MAY_INCLUDE:
        return ""
    allowed = [WORDS.get(each, each.removeprefix("harness/"))
               for each in MAY_INCLUDE[folder].split()]
    return ", ".join(allowed) or "nothing"


def folders(tree):
    found = set()
    for path in tree:
        folder = posixpath.dirname(path)
        while folder:
            if wanted(folder):
                found.add(folder)
            folder = posixpath.dirname(folder)
    return found


def wanted(folder):
    parts = folder.split("/")
    if parts[0].startswith(".") or "testing" in parts or "testdata" in parts:
        return False
    if parts[0] in DEEP:
        return folder != "harness"
    return len(parts) == 2 if parts[0] in SHALLOW else len(parts) == 1


def _page(*rows):
    return {PAGE: "| folder | what | may include |\n|---|---|---|\n" + "".join(
        f"| `{folder}/` | x y | {allowed} |\n".replace("|  |", "| |") for folder, allowed in rows)}


GOOD = [
    {**_page(("harness/board", "base"), ("harness/run/plan", ""), ("harness/run", may_include(
        "harness/run")), ("ci/zoo", "")),
     "harness/board/a.h": "", "harness/run/plan/a.h": "", "harness/run/testing/a.h": "",
     "ci/zoo/a/b.py": "", ".ci/x": "", "README.md": ""},
]
BAD = [
    {**_page(("harness/board", "base")), "harness/board/a.h": "", "harness/store/a.h": ""},
    {**_page(("harness/board", "base"), ("harness/store", "base, events"))},
    {**_page(("harness/board", "nothing")), "harness/board/a.h": ""},
    {"harness/CMakeLists.txt": ""},
]
