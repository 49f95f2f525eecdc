#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Readers of our own pages: what they take from CONTRIBUTING.md and SECURITY.md, and what they
refuse."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from contributing_text import sections, with_row  # noqa: E402
from privileges_table import bits_of, differences, rights_by_name  # noqa: E402
from program import TOP  # noqa: E402

PAGE = """# Page
```
a command that is not carried out
```
## A load
New file `a/b.cpp`:

```cpp
int b;
```

One row in `a/table.cpp`, below `ROW(a)`:

```cpp
  ROW(b)
```

```console
$ run b
output
$ run c
```
"""
LOAD = ("Name:\tx\nCapInh:\t0\nCapPrm:\t{bits}\nCapEff:\t{bits}\nCapBnd:\t{bits}\n"
        "NoNewPrivs:\t{no_new}\nSeccomp:\t{seccomp}\n")
ALL = (1 << 41) - 1


class Contributing(unittest.TestCase):
    def test_files_rows_and_commands_are_taken(self):
        found = sections(PAGE)
        self.assertEqual(list(found), ["A load"])
        load = found["A load"]
        self.assertEqual(load.files, {"a/b.cpp": "int b;\n"})
        self.assertEqual(load.rows, [("a/table.cpp", "ROW(a)", "  ROW(b)\n")])
        self.assertEqual(load.commands, ["run b", "run c"])

    def test_code_that_belongs_nowhere_is_refused(self):
        with self.assertRaisesRegex(ValueError, "neither a file nor a row"):
            sections(PAGE.replace("New file", "A new file"))

    def test_code_that_does_not_end_is_refused(self):
        with self.assertRaisesRegex(ValueError, "does not end"):
            sections(PAGE.rstrip("`\n"))

    def test_a_row_goes_below_its_line(self):
        self.assertEqual(with_row("x\n  ROW(a) \\\n  ROW(c)\n", "ROW(a)", "  ROW(b) \\\n"),
                         "x\n  ROW(a) \\\n  ROW(b) \\\n  ROW(c)\n")

    def test_a_place_that_is_not_one_is_refused(self):
        for text in ("ROW(x)\n", "ROW(a)\nROW(a)\n"):
            with self.assertRaisesRegex(ValueError, "lines begin"):
                with_row(text, "ROW(a)", "ROW(b)\n")


class Security(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(TOP, "SECURITY.md"), encoding="utf-8") as stream:
            self.table = rights_by_name(stream.read())

    def status(self, names, no_new=1, seccomp=0):
        return LOAD.format(bits=f"{bits_of(names):x}", no_new=no_new, seccomp=seccomp)

    def test_the_page_knows_every_role(self):
        for role in ("controller", "watchdog", "worker", "io", "files", "ffs", "injector",
                     "notifier", "sp-probe", "civetweb", "explain"):
            self.assertIn(role, self.table)

    def test_what_the_table_says_is_accepted(self):
        worker = self.table["worker"]
        self.assertEqual(differences(self.status(worker.keeps), worker, ALL), [])

    def test_more_or_less_than_it_says_is_refused(self):
        worker = self.table["worker"]
        for status in (self.status(worker.keeps | {"sys_admin"}),
                       self.status(worker.keeps - {"ipc_lock"}),
                       self.status(worker.keeps, no_new=0), self.status(worker.keeps, seccomp=2)):
            self.assertTrue(differences(status, worker, ALL))

    def test_one_who_gives_up_nothing_has_what_we_have(self):
        everything = LOAD.format(bits=f"{ALL:x}", no_new=0, seccomp=0)
        self.assertEqual(differences(everything, self.table["controller"], ALL), [])
        self.assertTrue(differences(everything, self.table["controller"], ALL >> 1))

    def test_a_capability_that_is_none_is_refused(self):
        with self.assertRaisesRegex(ValueError, "sys_everything"):
            rights_by_name("| `x` | sys_everything | yes | no |\n")


if __name__ == "__main__":
    unittest.main()
