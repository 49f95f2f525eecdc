# SPDX-License-Identifier: Apache-2.0
"""Judges one run of the zoo by what stallproof wrote. Pure: parsed documents in, an Outcome out."""

import fnmatch
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "measure"))

from judge import failing_stalls, number  # noqa: E402

DELAY_MS = 250  # beyond onset + stall-after
EARLY_MS = -5
NO_CLASS, NO_VERDICT, UNTOLD = "none", "no verdict", "untold"
# A server that waits for its own mount is a circle; with a free thread beside it, it is none.
EITHER = "fs_self_wait"


class Outcome:
    """What one run came to. A judgement that does not apply is None."""

    def __init__(self, expected, told):
        self.expected, self.told = expected, told
        self.detected = self.class_right = self.root_right = self.cycle_right = None
        self.delay_ms = None
        self.false_alarms = 0
        self.missed = []  # sentences, of what counts in a share of all runs
        self.problems = []  # of what no share excuses

    def judge(self, what, holds, sentence):
        setattr(self, what, bool(holds))
        if not holds:
            self.missed.append(sentence)


def judge_quiet(verdict, code):
    stalls = (verdict or {}).get("stalls")
    if stalls is None:
        outcome = Outcome(NO_CLASS, NO_VERDICT)
        outcome.problems.append("no verdict")
        return outcome
    outcome = Outcome(NO_CLASS, stalls[0].get("class") if stalls else NO_CLASS)
    outcome.false_alarms = len(stalls)
    if stalls:
        outcome.problems.append(f"false alarm: {outcome.told}")
    elif code != 0:
        outcome.problems.append(f"exit {code}: {'; '.join(verdict.get('reasons', []))}")
    return outcome


def judge_stall(verdict, explanations, expected, stall_after_ms):
    """`explanations`: {stall id: explanation.json}; `expected`: the table of plan.toml."""
    wanted = expected["class"]
    if verdict is None:
        outcome = Outcome(wanted, NO_VERDICT)
        outcome.judge("detected", False, "no verdict")
        return outcome
    armed = number(verdict, "timings", "armed_ms")
    early = [stall for stall in verdict.get("stalls", [])
             if armed is None or (number(stall, "detected_ms") or 0) < armed]
    stalls = [stall for stall in failing_stalls(verdict) if stall not in early]
    outcome = Outcome(wanted, (stalls[0].get("class") or UNTOLD) if stalls else NO_CLASS)
    outcome.false_alarms = len(early)
    if early:
        outcome.problems.append("false alarm before it was armed")
    judge_detection(outcome, stalls, stall_after_ms)
    if not stalls:
        return outcome
    outcome.judge("class_right", outcome.told == wanted, f"class {outcome.told}, not {wanted}")
    judge_explanation(outcome, explanations.get(stalls[0].get("id")) or {}, expected)
    return outcome


def judge_detection(outcome, stalls, stall_after_ms):
    if not stalls:
        return outcome.judge("detected", False, "not detected")
    onset, seen = number(stalls[0], "onset_ms"), number(stalls[0], "detected_ms")
    if onset is not None and seen is not None:
        outcome.delay_ms = seen - onset - stall_after_ms
    late = outcome.delay_ms is None or not EARLY_MS <= outcome.delay_ms <= DELAY_MS
    return outcome.judge("detected", not late, f"detected {outcome.delay_ms} ms after stall-after")


def judge_explanation(outcome, explanation, expected):
    told = explanation.get("class")
    wants_cycle = outcome.expected.endswith("_cycle")
    has_cycle = bool(explanation.get("cycle"))
    if outcome.expected != EITHER or told != EITHER:
        outcome.judge("cycle_right", has_cycle == wants_cycle,
                      f"{'a' if has_cycle else 'no'} cycle is told")
    if not expected.get("root"):
        return
    holder = (explanation.get("root") or {}).get("holder")
    names = [node.get("comm", "") for node in explanation.get("nodes", [])
             if node.get("id") == holder]
    outcome.judge("root_right", any(fnmatch.fnmatchcase(name, expected["root"]) for name in names),
                  f"root {names or 'not told'}, not {expected['root']}")
