#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judgements judged: each accepts a good document and refuses the bad one next to it."""

import copy
import io
import os
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import counts  # noqa: E402
import judge  # noqa: E402
import machine  # noqa: E402
import map_profiles  # noqa: E402
import metrics  # noqa: E402
import report  # noqa: E402
import scrape  # noqa: E402
import storm_trace  # noqa: E402
import terminal  # noqa: E402
from checks import Checks  # noqa: E402
from samples import (COUNTERS, EXPLANATION, METRICS, QUIET, TRUTH, VERDICT,  # noqa: E402
                     VERDICT_OF_COUNTERS, map_profile)


def changed(document, path, value):
    """A deep copy with one place changed; path is dotted, numbers index lists."""
    result = copy.deepcopy(document)
    at = result
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in parents:
        at = at[key]
    at[last] = value
    return result


class Judgements(unittest.TestCase):
    def accepts(self, judgement):
        self.assertEqual(judgement, [])

    def refuses(self, judgement, word):
        self.assertTrue(any(word in problem for problem in judgement), judgement)

    def test_reproduced(self):
        self.accepts(judge.reproduced(VERDICT, 0))
        self.refuses(judge.reproduced(VERDICT, 1), "exit 1")
        self.refuses(judge.reproduced(changed(VERDICT, "exit_code", 3), 0), "exit_code 3")
        self.refuses(judge.reproduced(changed(VERDICT, "stalls", []), 0), "0 failing")
        self.refuses(judge.reproduced(changed(VERDICT, "stalls.0.failing", False), 0), "0 failing")
        self.refuses(judge.reproduced(changed(VERDICT, "stalls", VERDICT["stalls"] * 2), 0),
                     "2 failing")
        self.refuses(judge.reproduced(changed(VERDICT, "stalls.0.class", "fs_server_stuck"), 0),
                     "fs_server_stuck")

    def test_metrics(self):
        self.accepts(metrics.labels_bounded('a{workload="x",le="0.1"} 1\n'))
        self.refuses(metrics.labels_bounded('a{workload="x",pid="1"} 1\n'), "pid")
        self.refuses(metrics.labels_bounded('a{workload="/mnt"} 1\n'), "/mnt")
        self.accepts(metrics.labels_bounded('a{workload="x",target="/mnt"} 1\n', ("/mnt",)))
        self.refuses(metrics.labels_bounded('a{target="y"} 1\n', ("/mnt",)), "target y")
        counted = scrape.values(COUNTERS)
        self.accepts(metrics.as_in_verdict(counted, VERDICT_OF_COUNTERS))
        self.refuses(metrics.as_in_verdict({**counted, 'stallproof_ops_total{workload="r",'
                                            'op="sync"}': 9.0}, VERDICT_OF_COUNTERS), "ops")
        self.refuses(metrics.as_in_verdict(counted, {}), "no workloads")
        self.accepts(scrape.falls({"a_total": 1.0, "b": 2.0}, {"a_total": 1.0, "b": 0.0}))
        self.refuses(scrape.falls({"a_total": 2.0}, {"a_total": 1.0}), "a_total")
        self.refuses(scrape.falls({'a_bucket{le="1"}': 2.0}, {}), "a_bucket")
        found = scrape.values(METRICS)
        self.assertEqual(found['stallproof_lock_waiters{lock="mmap_lock",mode="read"}'], 18)
        self.accepts(metrics.standing_figures(found))
        self.refuses(metrics.standing_figures({**found, "stallproof_lock_cycles_total": 0}),
                     "stallproof_lock_cycles_total")
        self.refuses(metrics.standing_figures(scrape.values(METRICS.replace("} 7", "} 0.5"))),
                     "no operation is old")

    def test_map_profiles(self):
        good = map_profiles.Profile(map_profile())
        self.accepts(map_profiles.complete(good))
        self.refuses(map_profiles.complete(map_profiles.Profile(map_profile(lost=3))), "3 calls")
        same = map_profiles.Profile(map_profile(prot="none"))
        slow = map_profiles.Profile(map_profile(step_us=1300))
        other = map_profiles.Profile(map_profile(prot="rw"))
        swapped = map_profiles.Profile(map_profile(swapped=True))
        fewer = map_profiles.Profile(map_profile(lives=70))
        for judgement, bad, word in (
                (map_profiles.same_mix, other, "mprotect 16384 rw"),
                (map_profiles.same_lives, swapped, "known sequence"),
                (map_profiles.same_rate, slow, "calls a second"),
                (map_profiles.same_callers, fewer, "callers a second")):
            self.accepts(judgement(good, same))
            self.refuses(judgement(good, bad), word)

    def test_dropouts(self):
        self.accepts(judge.dropouts_per_load(VERDICT))
        self.refuses(judge.dropouts_per_load(changed(VERDICT, "dropouts.0.workload", "b")), "of a")
        self.refuses(judge.dropouts_per_load(changed(VERDICT, "workloads", {})), "no workload")

    def test_timings(self):
        self.accepts(judge.timings(VERDICT, 1000))
        for path, value, word in (
                ("stalls.0.detected_ms", 3250.0, "detected"),
                ("stalls.0.detected_ms", 2500.0, "detected"),  # earlier than can be
                ("stalls.0.onset_ms", None, "detected"),
                ("timings.explained_ms", 3160.0, "explained"),
                ("timings.explained_ms", 3000.0, "explained"),
                ("timings.healed_ms", 4200.0, "healed"),
                ("timings.healed_ms", None, "healed"),
                ("timings", {}, "not in the verdict")):
            with self.subTest(path, value=value):
                self.refuses(judge.timings(changed(VERDICT, path, value), 1000), word)

    def test_medians(self):
        self.accepts(judge.median_within("x", [10, 20, 300], 50))
        self.refuses(judge.median_within("x", [10, 60, 70], 50), "60")
        self.refuses(judge.median_within("x", [10, None, 20], 50), "missing in 1 of 3")
        self.refuses(judge.median_within("x", [], 50), "missing")
        self.assertEqual(judge.median([4, 1, 3, 2]), 2.5)

    def test_explanation_against_truth(self):
        self.accepts(judge.explanation_is_true(EXPLANATION, TRUTH, {900}))
        for explanation, truth, word in (
                (changed(EXPLANATION, "root.holder", "task:102"), TRUTH, "holder"),
                (changed(EXPLANATION, "root.holder", ""), TRUTH, "holder"),
                (changed(EXPLANATION, "root.first_writer", "task:103"), TRUTH, "first writer"),
                (changed(EXPLANATION, "class", "mmap_lock_held"), TRUTH, "explained as"),
                (changed(EXPLANATION, "cycle", None), TRUTH, "no cycle"),
                (changed(EXPLANATION, "nodes.2.tid", 102), TRUTH, "neither"),
                (changed(EXPLANATION, "nodes.3.tgid", 100), TRUTH, "neither"),
                (changed(EXPLANATION, "nodes", EXPLANATION["nodes"][:2]), TRUTH, "no queued"),
                (EXPLANATION, changed(TRUTH, "open_hazards", []), "holder"),
                (EXPLANATION, changed(TRUTH, "threads.1.in_flight", False), "first writer")):
            with self.subTest(word):
                self.refuses(judge.explanation_is_true(explanation, truth, {900}), word)

    def test_service_threads_need_the_service(self):
        self.refuses(judge.explanation_is_true(EXPLANATION, TRUTH, set()), "neither")

    def test_quiet(self):
        self.accepts(judge.stayed_quiet(QUIET, 1, 1, "split-pool"))
        self.refuses(judge.stayed_quiet(QUIET, 0, 1, "split-pool"), "exit 0")
        for path, value, word in (
                ("stalls", [{}], "1 stalls"), ("stalls", None, "no list"),
                ("hazard", None, "not entered"), ("hazard.entered", False, "not entered"),
                ("hazard.per_second_min", 0, "hazard.per_second_min"),
                ("ffs.page_reads_per_second_min", 0, "page_reads"),
                ("ffs.direct_reads_per_second_min", None, "direct_reads"),
                ("workloads.mprotect-storm.per_second_min", 0, "mprotect"),
                ("workloads", {}, "mprotect")):
            with self.subTest(path, value=value):
                self.refuses(judge.stayed_quiet(changed(QUIET, path, value), 1, 1, "split-pool"),
                             word)

    def test_quiet_without_a_writer_needs_no_mprotect(self):
        self.accepts(judge.stayed_quiet(changed(QUIET, "workloads", {}), 1, 1, "no-writer"))

    def test_unknown(self):
        lost = {"verdict": "unknown", "reasons": ["ffs: killed by signal 9"]}
        self.accepts(judge.unknown_verdict(lost, 3))
        self.refuses(judge.unknown_verdict(lost, 0), "exit 0")
        self.refuses(judge.unknown_verdict(changed(lost, "verdict", "pass"), 3), "verdict pass")
        self.refuses(judge.unknown_verdict(changed(lost, "reasons", []), 3), "no reason")

    def test_blind(self):
        blind = changed(EXPLANATION, "edges", [{"certainty": "inferred"}])
        self.accepts(judge.blind_but_honest(VERDICT, blind, "BPF: Operation not permitted"))
        self.refuses(judge.blind_but_honest(VERDICT, EXPLANATION, "bpf"), "not inferred")
        self.refuses(judge.blind_but_honest(VERDICT, changed(blind, "edges", []), "bpf"), "edges")
        self.refuses(judge.blind_but_honest(VERDICT, blind, "all seen"), "refused")
        self.refuses(judge.blind_but_honest(VERDICT, changed(blind, "class", "x"), "bpf"), "as x")

    def test_refusal(self):
        self.accepts(judge.one_line_refusal(2, "", "x: no such scenario\n", 2, ["x", "such"]))
        self.refuses(judge.one_line_refusal(1, "", "x\n", 2, []), "exit 1")
        self.refuses(judge.one_line_refusal(2, "", "x\ny\n", 2, []), "2 lines")
        self.refuses(judge.one_line_refusal(2, "", "", 2, []), "0 lines")
        self.refuses(judge.one_line_refusal(2, "a", "x\n", 2, []), "stdout")
        self.refuses(judge.one_line_refusal(2, "", "x\n", 2, ["z"]), "'z'")


class MachineLooks(unittest.TestCase):
    before = dict(connections={"40"}, mounts={"/ ext4 vda"}, sysctls={"kernel/panic": "0"},
                  entries={"/tmp/a"}, pids={1: ("init", 1)})

    def differences(self, **after):
        return machine.differences(machine.Look(**self.before),
                                   machine.Look(**{**self.before, **after}), {77}, 70)

    def test_nothing_changed(self):
        self.assertEqual(self.differences(), [])
        self.assertEqual(self.differences(pids={1: ("init", 1), 5: ("cron", 5)}), [])
        self.assertEqual(self.differences(connections=set()), [])

    def test_what_a_killed_run_left_may_go(self):
        left = machine.Look(mounts={"/run/stallproof/run-7/mnt fuse.stallproof stallproof-ffs"})
        self.assertEqual(machine.differences(left, machine.Look()), [])

    def test_each_kind_of_left_over_is_found(self):
        for word, after in (
                ("connection 41", dict(connections={"40", "41"})),
                ("mount is left", dict(mounts={"/ ext4 vda", "/run/x fuse.ffs ffs"})),
                ("mount is gone", dict(mounts=set())),
                ("kernel/panic was 0, is 1", dict(sysctls={"kernel/panic": "1"})),
                ("/tmp/b is left", dict(entries={"/tmp/a", "/tmp/b"})),
                ("process 77", dict(pids={77: ("ffs", 5)})),
                ("process 78", dict(pids={78: ("ffs", 70)}))):
            with self.subTest(word):
                found = self.differences(**after)
                self.assertEqual(len(found), 1)
                self.assertIn(word, found[0])

    def test_bounded_reads(self):
        with tempfile.TemporaryDirectory() as folder:
            fifo = os.path.join(folder, "fifo")
            os.mkfifo(fifo)
            self.assertEqual(machine.bounded_read(fifo, seconds=0.1), "hangs")
        self.assertEqual(machine.bounded_read("/proc/self/cmdline"), "read")
        self.assertEqual(machine.bounded_read("/proc/0/cmdline"), "gone")

    def test_processes_are_seen_with_their_session(self):
        child = subprocess.Popen(["sleep", "20"], start_new_session=True)
        try:
            name, session = machine.processes()[child.pid]
        finally:
            child.kill()
            child.wait()
        self.assertEqual(session, child.pid)
        self.assertNotIn(child.pid, machine.processes())
        self.assertTrue(name)


class Counting(unittest.TestCase):
    def summary(self, body, deadline_s=10):
        said = io.StringIO()
        with redirect_stdout(said):
            with Checks("x", deadline_s) as checks:
                body(checks)
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
            log.write(said.getvalue())
            log.flush()
            return checks.code, counts.from_measure(log.name)

    def test_passes_and_failures(self):
        code, found = self.summary(lambda checks: (checks.check("a", True), checks.skip("b", "no")))
        self.assertEqual((code, found[:3]), (0, (1, 0, 1)))
        code, found = self.summary(lambda checks: checks.all("a", ["bad"]))
        self.assertEqual((code, found[:3]), (1, (0, 1, 0)))

    def test_nothing_checked_is_a_failure(self):
        self.assertEqual(self.summary(lambda checks: None)[0], 1)

    def test_an_exception_is_a_failure(self):
        code, found = self.summary(lambda checks: checks.missing())
        self.assertEqual((code, found[:3]), (1, (0, 1, 0)))

    def test_overdue_is_a_failure(self):
        code, found = self.summary(lambda checks: subprocess.run(["sleep", "5"], check=False), 1)
        self.assertEqual((code, found[:3]), (1, (0, 1, 0)))
        self.assertIn("not done after 1 s", found[3][0])

    def test_a_log_without_summary_is_a_failure(self):
        with tempfile.NamedTemporaryFile() as log:
            self.assertEqual(counts.from_measure(log.name)[:3], (0, 1, 0))

    def test_junit(self):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write('<testsuite><testcase name="a" status="run"/>'
                       '<testcase name="b" status="fail"><failure message=""/></testcase>'
                       '<testcase name="c" status="notrun"><skipped message="x"/>'
                       '<system-out>f.cpp:3: Skipped\nnot root\n</system-out></testcase>'
                       '</testsuite>')
            file.flush()
            self.assertEqual(counts.from_junit(file.name),
                             (1, 1, 1, ["FAIL b", "skip c: not root"]))


FIXED = "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"
LIFE = f"""
7 1.0 clone3({{flags=CLONE_VM, child_tid=0x7f}} => {{parent_tid=[8]}}, 88) = 8
8 1.1 mmap(0x7f00, 16384, PROT_READ|PROT_WRITE, {FIXED}, -1, 0) = 0x7f00
8 1.2 mprotect(0x7f00, 16384, PROT_NONE <unfinished ...>
7 1.2 mprotect(0x1000, 4096, PROT_READ) = 0
8 1.3 <... mprotect resumed>)           = 0
8 1.4 mmap(0x7f00, 16384, PROT_NONE, {FIXED}|MAP_NORESERVE, -1, 0) = 0x7f00
8 1.5 madvise(0x7f00, 1024000, MADV_DONTNEED) = 0
"""


class StormTraces(unittest.TestCase):
    def life(self, text):
        return [call for call in storm_trace.calls(text) if call.tid == 8]

    def test_a_life_is_verbatim_or_not(self):
        self.assertEqual(storm_trace.life_problems(self.life(LIFE), 1 << 20), [])
        for old, new in (("1024000", "1024"), ("MAP_NORESERVE", "MAP_STACK"),
                         ("8 1.5 madvise", "9 1.5 madvise"), ("8 1.1 mmap", "8 1.1 munmap"),
                         ("DONTNEED) = 0", "DONTNEED) = -1 ENOMEM")):
            self.assertTrue(storm_trace.life_problems(self.life(LIFE.replace(old, new)), 1 << 20),
                            new)
        self.assertTrue(storm_trace.life_problems(
            self.life(LIFE + "8 1.6 mprotect(0x7f00, 4096, PROT_READ) = 0\n"), 1 << 20))
        self.assertTrue(storm_trace.life_problems([], 1 << 20))

    def test_threads_know_their_generation(self):
        self.assertEqual(storm_trace.generations(storm_trace.calls(LIFE)), {7: 0, 8: 1})

    def test_shares(self):
        calls = [storm_trace.Call(1, 0, "mprotect", ["0x1", "4096", "PROT_READ"], "0")] * 1000
        key = ("mprotect", 4096, "PROT_READ")
        self.assertEqual(storm_trace.share_problems(calls, {key: 1.0}), [])
        self.assertTrue(storm_trace.share_problems(calls, {key: 0.9}))


class Pages(unittest.TestCase):
    """What ci/measure/report.py says of a page."""

    SEEN = {"requests": ["u"], "complaints": [], "seen": {
        "page_width": 360, "window_width": 360, "images_without_words": 0,
        "tables_without_headings": 0, "charts": 15, "drawn": 0, "heats": 5, "circle_edges": 5,
        "zero": "1 failing stall in 10.0 h: at most 0.474 per hour", "graph_nodes": ["java 22134"]}}

    def test_silent(self):
        self.assertEqual(report.silent(self.SEEN, "u"), [])
        for path, value in (("requests", ["u", "v"]), ("complaints", ["x"]),
                            ("seen.page_width", 400), ("seen.images_without_words", 1)):
            self.assertEqual(len(report.silent(changed(self.SEEN, path, value), "u")), 1, path)
        self.assertEqual(report.silent({"problem": "gone"}, "u"), ["gone"])

    def test_whole(self):
        self.assertEqual(report.whole(self.SEEN["seen"]), [])
        for path, value in (("charts", 14), ("heats", 4), ("zero", ""), ("graph_nodes", []),
                            ("circle_edges", 0)):
            self.assertEqual(len(report.whole(changed(self.SEEN["seen"], path, value))), 1, path)

    def test_words(self):
        self.assertEqual(report.shown_hours("22:59:32 – 00:59:39"), 2)
        self.assertEqual(report.brightness("rgb(10, 20, 30)"), 20)


class Screens(unittest.TestCase):
    """The terminal that console.py looks at."""

    def test_what_is_drawn_in_place(self):
        screen = terminal.Screen(10, 5)
        screen.feed("text\r\none\x1b[K\r\ntwo\x1b[K\r\n\x1b[J".encode())
        self.assertEqual(screen.shown(), ["text", "one", "two", ""])
        screen.feed("\r\x1b[2A\x1b[31m█\x1b[0m\x1b[K\r\n\x1b[J".encode())
        self.assertEqual(screen.shown(), ["text", "█", ""])
        self.assertEqual((screen.wraps, screen.coloured, screen.unknown), (0, 2, []))
        self.assertIn("two", screen.seen)

    def test_what_must_not_be(self):
        screen = terminal.Screen(4, 5)
        screen.feed(b"12345\r\n\x1b[?25l\x1b[")
        self.assertEqual((screen.wraps, screen.unknown), (1, ["?25l"]))
        screen.feed(b"2Kx")
        self.assertEqual(screen.shown()[-1], "x")


if __name__ == "__main__":
    unittest.main(verbosity=0)
