#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judgements of the zoo judged: each accepts a good document and refuses a bad one."""

import copy
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import matrix  # noqa: E402
import mutation_list  # noqa: E402
import mutations  # noqa: E402
import noise  # noqa: E402
import watchdog_share  # noqa: E402
from cases import cases, one_of_each  # noqa: E402
from kept import Kept, shuffled  # noqa: E402
from verdicts import Outcome, judge_quiet, judge_stall  # noqa: E402

ROWS = [
    {"name": "a-stall", "summary": "it stalls (by itself) (host; lock_held)"},
    {"name": "--variant one", "summary": "stalls"}, {"name": "--variant two", "summary": "stalls"},
    {"name": "--variant calm", "summary": "does not", "quiet": True},
    {"name": "--fix it", "summary": "mends it", "quiet": True},
    {"name": "--param warmup=1s", "summary": "before"},
    {"name": "far-away", "summary": "elsewhere (VM; device_stuck)"},
    {"name": "--variant gone", "summary": "stalls"}]
VERDICT = {"exit_code": 0, "timings": {"armed_ms": 1000.0},
           "stalls": [{"id": "001", "class": "lock_held", "failing": True, "onset_ms": 1010.0,
                       "detected_ms": 2015.0}]}
EXPLANATION = {"class": "lock_held", "cycle": None, "root": {"holder": "task:7"},
               "nodes": [{"id": "task:7", "comm": "keeper/0"}, {"id": "task:8", "comm": "other"}]}
EXPECTED = {"class": "lock_held", "root": "keeper/*"}


def changed(document, **values):
    return {**copy.deepcopy(document), **values}


def stall(**values):
    return changed(VERDICT, stalls=[changed(VERDICT["stalls"][0], **values)])


def judged(verdict=VERDICT, explanation=EXPLANATION, expected=EXPECTED):
    return judge_stall(verdict, {"001": explanation}, expected, 1000)


class Cases(unittest.TestCase):
    def test_those_of_this_machine_are_found(self):
        self.assertEqual([str(case) for case in cases(ROWS)],
                         ["a-stall --variant one", "a-stall --variant two",
                          "a-stall --variant calm", "a-stall --fix it"])
        self.assertEqual([case.quiet for case in cases(ROWS)], [False, False, True, True])
        self.assertEqual([str(case) for case in one_of_each(cases(ROWS))],
                         ["a-stall --variant one", "a-stall --variant calm"])
        self.assertEqual([str(case) for case in one_of_each(cases(ROWS), turn=3)],
                         ["a-stall --variant two", "a-stall --fix it"])

    def test_a_scenario_without_a_class_is_no_scenario(self):
        self.assertRaises(ValueError, cases, [{"name": "a", "summary": "nothing"}])


class Stalls(unittest.TestCase):
    def test_a_good_one_has_no_problem(self):
        outcome = judged()
        self.assertEqual(outcome.missed + outcome.problems, [])
        self.assertEqual((outcome.detected, outcome.class_right, outcome.root_right,
                          outcome.cycle_right), (True, True, True, True))
        self.assertAlmostEqual(outcome.delay_ms, 5.0)

    def test_detection(self):
        self.assertFalse(judged(stall(detected_ms=2261.0)).detected)
        self.assertFalse(judged(stall(detected_ms=2000.0)).detected)
        self.assertFalse(judged(stall(failing=False)).detected)
        self.assertFalse(judged(stall(onset_ms=None)).detected)
        self.assertFalse(judged(None).detected)

    def test_class_root_and_cycle(self):
        self.assertFalse(judged(stall(**{"class": "dir_lock"})).class_right)
        self.assertEqual(judged(stall(**{"class": "dir_lock"})).told, "dir_lock")
        self.assertFalse(judged(explanation=changed(EXPLANATION, root={"holder": "task:8"}))
                         .root_right)
        self.assertFalse(judged(explanation={}).root_right)
        self.assertIsNone(judged(expected={"class": "lock_held", "root": ""}).root_right)
        self.assertFalse(judged(explanation=changed(EXPLANATION, cycle=["task:7"])).cycle_right)
        self.assertFalse(judged(expected={"class": "mmap_lock_cycle"}).cycle_right)

    def test_a_stall_before_arming_is_a_false_alarm(self):
        outcome = judged(stall(onset_ms=10.0, detected_ms=999.0))
        self.assertEqual((outcome.false_alarms, outcome.detected), (1, False))


class Quiet(unittest.TestCase):
    def test_quiet_is_quiet(self):
        self.assertEqual(judge_quiet({"stalls": []}, 0).problems, [])
        self.assertEqual(judge_quiet({"stalls": []}, 3).false_alarms, 0)
        self.assertTrue(judge_quiet({"stalls": [], "reasons": ["x"]}, 3).problems)
        self.assertTrue(judge_quiet(None, 3).problems)
        self.assertEqual(judge_quiet(VERDICT, 1).false_alarms, 1)


class Matrix(unittest.TestCase):
    def test_confusion(self):
        outcomes = [judged(), judged(), judged(stall(**{"class": "dir_lock"})),
                    judge_quiet({"stalls": []}, 0)]
        self.assertEqual(matrix.confusion_table(outcomes),
                         [["expected \\ told", "dir_lock", "lock_held", "none"],
                          ["lock_held", "1", "2", ""], ["none", "", "", "1"]])

    def test_goals(self):
        good = [judged()] * 49
        bad = [judged(stall(**{"class": "dir_lock"}))]
        self.assertTrue(all(row[3] for row in matrix.goals(good + bad, 0)))
        held = {row[0]: row[3] for row in matrix.goals(good + bad * 2, 0)}
        self.assertFalse(held["class right"])
        self.assertFalse(all(row[3] for row in matrix.goals([judged(None), *good], 0)))
        self.assertFalse(all(row[3] for row in matrix.goals(good, 1)))
        alarm = Outcome("none", "lock_held")
        alarm.false_alarms = 1
        self.assertFalse(all(row[3] for row in matrix.goals([*good, alarm], 0)))

    def test_tables(self):
        rows = [["a|b", "c"], ["long", ""]]
        self.assertEqual(matrix.as_text(rows), "a|b   c\nlong")
        self.assertEqual(matrix.as_markdown(rows), "| a\\|b | c |\n| --- | --- |\n| long |  |")


class Noise(unittest.TestCase):
    def test_only_a_run_that_worked_and_told_nothing_is_healthy(self):
        good = {"stalls": [], "workloads": {"a": {"ops": 5, "errors": 0}}}
        self.assertEqual(noise.told("run", good), [])
        self.assertTrue(noise.told("run", None))
        self.assertTrue(noise.told("run", changed(good, stalls=VERDICT["stalls"])))
        self.assertTrue(noise.told("run", changed(good, workloads={"a": {"ops": 0}})))
        self.assertTrue(noise.told("run", changed(good, workloads={})))


class Mutations(unittest.TestCase):
    def test_what_is_seen_is_told_from_what_is_not(self):
        seen = mutation_list.has_source("stuck-op")
        self.assertTrue(seen({"stalls": [{"sources": ["stuck-op"]}]}, {}))
        self.assertFalse(seen({"stalls": [{"sources": ["no-progress"]}]}, {}))
        supported = mutation_list.supported_by("pressure")
        incident = {"detectors": ["pressure"], "support": [{"detector": "pressure", "what": "x"}]}
        self.assertTrue(supported({}, {"incident.json": incident}))
        self.assertFalse(supported({}, {"incident.json": changed(incident, support=[])}))
        self.assertFalse(supported({}, {}))

    def test_a_lock_counts_as_read_only_when_it_was(self):
        edge = {"to": "lock:1", "certainty": "exact"}
        explanation = {"root": {"lock": "lock:1"}, "edges": [edge]}
        self.assertTrue(mutation_list.lock_is_read({}, {"explanation.json": explanation}))
        inferred = changed(explanation, edges=[changed(edge, certainty="inferred")])
        self.assertFalse(mutation_list.lock_is_read({}, {"explanation.json": inferred}))
        self.assertFalse(mutation_list.lock_is_read({}, {}))

    def test_a_switched_off_detector_must_be_told_and_never_be_green(self):
        spot = "switched off by --without: pressure"
        good = {"observer": {"blind_spots": [spot]}, "stalls": [], "exit_code": 3}
        self.assertEqual(mutations.tells_of_it(good, "pressure"), [])
        self.assertTrue(mutations.tells_of_it(changed(good, observer={}), "pressure"))
        self.assertTrue(mutations.tells_of_it(changed(good, exit_code=0), "pressure"))


class Share(unittest.TestCase):
    def test_each_watched_second_is_compared_with_those_around_it(self):
        rates = [100.0] * 4 + [99.0, 100.0, 99.0, 100.0, 99.0, 100.0]
        self.assertEqual(watchdog_share.shares(rates, 11), [0.99, 0.99, 0.99])


class KeptOutcomes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "kept")

    def test_what_was_interrupted_goes_on(self):
        outcome = judge_stall(VERDICT, {"001": EXPLANATION}, EXPECTED, 1000)
        Kept(self.path, {"seed": 1}).add("a-stall", outcome, ["a mount"], [])
        with open(self.path, "a", encoding="utf-8") as stream:
            stream.write('{"case": "torn')
        (case, again, left, alarms), = Kept(self.path, {"seed": 1}).done()
        self.assertEqual((case, left, alarms), ("a-stall", ["a mount"], []))
        self.assertEqual(vars(again), vars(outcome))
        Kept(self.path, {"seed": 1}).add("a-stall", outcome, [], [])
        self.assertEqual(len(Kept(self.path, {"seed": 1}).done()), 2)

    def test_a_file_of_something_else_is_refused(self):
        Kept(self.path, {"seed": 1})
        with self.assertRaises(ValueError):
            Kept(self.path, {"seed": 2})

    def test_a_seed_is_an_order(self):
        self.assertEqual(shuffled(["abcd"] * 5, 7), shuffled(["abcd"] * 5, 7))
        self.assertEqual(sorted(shuffled(["ab", "ab"], 7)), ["a", "a", "b", "b"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
