# SPDX-License-Identifier: Apache-2.0
"""What slices of time say of a slow-down: each watched slice's rate over the mean of those around
it. Pure."""

import math
import statistics

# Of Student's t, one-sided 99.5 %: a few slices know little of their own spread, and a check of
# every CI run shall fail by chance once in two hundred. Many are given two errors.
STUDENT = {2: 63.7, 3: 9.92, 4: 5.84, 5: 4.60, 6: 4.03, 7: 3.71, 8: 3.50, 9: 3.36, 10: 3.25,
           11: 3.17, 12: 3.11}


def ratios(rates):
    """Of the rates of slices of which every second one was watched, the first was not."""
    return [rates[i] / ((rates[i - 1] + rates[i + 1]) / 2) for i in range(1, len(rates) - 1, 2)]


def slow_down(found):
    """(how much slower, standard error, what it may be by chance) of ratios."""
    error = statistics.stdev(found) / math.sqrt(len(found))
    return 1 - statistics.median(found), error, STUDENT.get(len(found), 2) * error
