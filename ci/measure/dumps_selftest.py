#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judgements of dumps judged: each accepts a good text and refuses the bad one next to it."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import vmcore_judge  # noqa: E402
from vmcore_explain import Ran  # noqa: E402


class Dumps(unittest.TestCase):
    BT = ('PID: 7  TASK: ffff888100000000  CPU: 0  COMMAND: "java x"\n'
          " #0 [ffffc90000003e00] __schedule at ffffffff81000010\n"
          " #1 [ffffc90000003e40] down_read at ffffffff81000020\n"
          " #2 [ffffc90000003e80] ffs_read at ffffffffc0000020 [ffs]\n")
    PROC = "== 7 java x State:\tD (disk sleep)\n[<0>] ffs_read+0x1/0x2 [ffs]\n"

    def compare(self, text, before):
        return vmcore_judge.different_stacks(vmcore_judge.stacks_of_bt(text),
                                             vmcore_judge.stacks_of_proc(before))

    def test_stacks(self):
        self.assertEqual(self.compare(self.BT, self.PROC), (1, [], []))
        other = self.BT.replace("ffs_read", "ffs_write")
        self.assertEqual(len(self.compare(other, self.PROC)[1]), 1)
        # A frame too many that /proc would have shown.
        self.assertEqual(len(self.compare(self.BT.replace("down_read", "f"), self.PROC)[1]), 1)
        asleep = self.PROC.replace("D (disk sleep)", "S (sleeping)")
        self.assertEqual(self.compare(other, asleep), (1, [], ["java x 7"]))

    def test_sizes(self):
        tasks = ("      PID    PPID  CPU       TASK        ST  %MEM      VSZ      RSS  COMM\n"
                 "      168       1    0  ff15fef601f44200  UN   0.2   1778840     1432  java\n")
        before = "/proc/168/status Name: java VmSize: 1778840 kB VmRSS: 1400 kB \n"
        self.assertEqual(vmcore_judge.different_sizes(tasks, before), (1, []))
        for bad in (before.replace("1778840", "1778844"), before.replace("1400", "1000")):
            self.assertEqual(len(vmcore_judge.different_sizes(tasks, bad)[1]), 1)
        self.assertEqual(vmcore_judge.different_sizes("", before), (0, []))

    def test_frames_must_follow_each_other(self):
        stacks = {1: ("a", ["x", "down_read", "get", "copy"])}
        self.assertEqual(vmcore_judge.without_frames(stacks, {"s": ["down_read", "get"]}), [])
        self.assertEqual(len(vmcore_judge.without_frames(stacks, {"s": ["down_read", "copy"]})), 1)
        self.assertEqual(len(vmcore_judge.without_frames({}, {"s": ["x"]})), 1)

    def test_roles(self):
        told = {"nodes": [{"kind": "task", "role": "holder", "comm": "java"},
                          {"kind": "lock", "role": None}]}
        self.assertEqual(vmcore_judge.different_roles(told, told), [])
        self.assertEqual(len(vmcore_judge.different_roles(told, {"nodes": []})), 1)

    def test_damage(self):
        ran = Ran(2, "", "one line\n", 0.1, 1)
        self.assertEqual(vmcore_judge.unacceptable(ran), "")
        self.assertEqual(vmcore_judge.unacceptable(ran._replace(code=3, out="x")), "")
        self.assertEqual(vmcore_judge.unacceptable_cut(ran), "")
        for bad in (ran._replace(code=-11), ran._replace(err="two\nlines\n"),
                    ran._replace(seconds=5.1), ran._replace(code=0)):
            self.assertNotEqual(vmcore_judge.unacceptable(bad), "")
        self.assertNotEqual(vmcore_judge.unacceptable_cut(ran._replace(code=0, out="x")), "")


if __name__ == "__main__":
    unittest.main(verbosity=0)
