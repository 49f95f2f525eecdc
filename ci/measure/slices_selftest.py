#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What slices say of a slow-down: found where it is, not where a few are scattered."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from slices import ratios, slow_down  # noqa: E402


def surely(found, limit):
    slower, _, doubt = slow_down(found)
    return slower - doubt > limit


class Slices(unittest.TestCase):
    def test_drift_of_the_machine_is_no_slow_down(self):
        self.assertEqual(ratios([100, 110, 120, 130, 140]), [1.0, 1.0])

    def test_watched_slice_is_compared_with_both_around_it(self):
        self.assertEqual(ratios([100, 50, 100, 75, 50]), [0.5, 1.0])

    def test_a_tenth_is_surely_found_in_few_slices(self):
        self.assertTrue(surely([0.90, 0.91, 0.89, 0.90], 0.03))

    def test_three_that_agree_by_chance_prove_little(self):
        self.assertFalse(surely([0.956, 0.961, 0.950], 0.03))

    def test_many_need_less(self):
        self.assertTrue(surely([0.956, 0.961, 0.950] * 10, 0.03))


if __name__ == "__main__":
    unittest.main()
