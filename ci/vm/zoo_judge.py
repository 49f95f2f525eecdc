# SPDX-License-Identifier: Apache-2.0
"""Judges what one case of the zoo has left in its folder. Returns what is wrong, in sentences."""

import json

from kmod_evidence import numbers, read

LACKS_MEANS = 77
KILLED = 128 + 9


def verdict_of(folder):
    try:
        return json.loads(read(folder, "verdict") or "{}")
    except ValueError:
        return {}


def told(folder):
    """The first stall's signature, or the end of what was said instead."""
    stalls = verdict_of(folder).get("stalls", [])
    if stalls:
        return stalls[0]["signature"]
    return (read(folder, "stderr").strip().splitlines() or ["nothing"])[-1]


def turns(folder):
    """How often it was run until its watchdog was not held up by the host."""
    return numbers(read(folder, "end")).get("turns", 1)


def difference(folder):
    before, after = (read(folder, name).splitlines() for name in ("before", "after"))
    return [f"left: {line}" for line in after if line not in before] + \
        [f"gone: {line}" for line in before if line not in after]


def case(folder, wanted_class, quiet):
    """As promised, and the guest as before."""
    verdict, code = verdict_of(folder), numbers(read(folder, "end")).get("code")
    if not verdict:
        return [f"exit {code}, no verdict: {told(folder)}"]
    wrong = []
    if code != 0:
        wrong.append(f"exit {code}: {'; '.join(verdict.get('reasons', [])[:2])}")
    classes = {stall["class"] for stall in verdict["stalls"]}
    if quiet and classes:
        wrong.append(f"stalled as {', '.join(sorted(classes))}")
    if not quiet and wanted_class not in classes:
        wrong.append(f"told as {', '.join(sorted(classes)) or 'nothing'}, not {wanted_class}")
    return wrong + [f"left behind: {each}" for each in verdict["left_behind"]] + difference(folder)


def refusal(folder, words):
    """One line that names what is missing and what to try, and no results."""
    said, code = read(folder, "stderr").strip(), numbers(read(folder, "end")).get("code")
    wrong = [] if code == LACKS_MEANS else [f"exit {code}"]
    if len(said.splitlines()) != 1 or not all(word in said for word in (*words, "ci/vm/run")):
        wrong.append(f"said: {said}")
    return wrong + difference(folder)


def killed(folder):
    """The next start has undone everything, and says so."""
    wrong = [] if "STALL" in read(folder, "stderr") else ["it never stalled"]
    if numbers(read(folder, "end")).get("held") != KILLED:
        wrong.append(f"it was not killed: {read(folder, 'end')}")
    if numbers(read(folder, "end")).get("code") != 0:
        wrong.append(f"the next start failed: {told_next(folder)}")
    if "removed /run/stallproof/" not in read(folder, "next"):
        wrong.append("the next start does not say that it has removed the run, but: " +
                     told_next(folder))
    return wrong + difference(folder)


def told_next(folder):
    return (read(folder, "next").strip().splitlines() or ["nothing"])[-1]
