# SPDX-License-Identifier: Apache-2.0
"""Outcomes of a long zoo in a file, a line of JSON each as they come: what was interrupted goes on
where it ended. The first line says of what the file is."""

import json
import os
import random

from verdicts import Outcome


class Kept:
    """`path` None: nothing is kept. A file of other cases, or of another seed, is refused."""

    def __init__(self, path, about):
        self.path, self.about = path, about
        self.rows = self._read() if path and os.path.exists(path) else []
        if path and not self.rows:
            self._write(about, "w")

    def _read(self):
        with open(self.path, "r+", encoding="utf-8") as stream:
            text = stream.read()
            text = text[:text.rfind("\n") + 1]  # a line that was being written is lost
            stream.truncate(len(text.encode()))
        rows = [json.loads(line) for line in text.splitlines()]
        if not rows or rows[0] != self.about:
            raise ValueError(f"{self.path}: outcomes of other cases or another seed")
        return rows

    def _write(self, row, mode="a"):
        with open(self.path, mode, encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")

    def add(self, case, outcome, left, alarms):
        if self.path:
            self._write({"case": str(case), "outcome": vars(outcome), "left": left,
                         "alarms": alarms})

    def done(self):
        """[(case's name, Outcome, sentences about the machine, sentences about the noise)]."""
        return [(row["case"], outcome_of(row["outcome"]), row["left"], row["alarms"])
                for row in self.rows[1:]]


def outcome_of(fields):
    outcome = Outcome(fields["expected"], fields["told"])
    vars(outcome).update(fields)
    return outcome


def shuffled(rounds, seed):
    """The cases of all rounds, in an order that the seed decides."""
    order = [case for cases in rounds for case in cases]
    random.Random(seed).shuffle(order)
    return order
