#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule finds each of its bad examples and nothing in its good ones."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import rules  # noqa: E402
from source import Source, blank_cpp  # noqa: E402


def findings(rule, example):
    return list(rule.check({path: Source(path, text) for path, text in example.items()}))


class EveryRule(unittest.TestCase):
    def test_has_examples_of_both_kinds(self):
        for rule in rules.ALL:
            with self.subTest(rule.NAME):
                self.assertTrue(rule.GOOD and rule.BAD)

    def test_accepts_its_good_examples(self):
        for rule in rules.ALL:
            for number, example in enumerate(rule.GOOD):
                with self.subTest(rule.NAME, example=number):
                    self.assertEqual([str(each) for each in findings(rule, example)], [])

    def test_finds_its_bad_examples(self):
        for rule in rules.ALL:
            for number, example in enumerate(rule.BAD):
                with self.subTest(rule.NAME, example=number):
                    found = findings(rule, example)
                    self.assertTrue(found)
                    self.assertEqual({each.rule for each in found}, {rule.NAME})

    def test_is_listed(self):
        folder = os.path.dirname(rules.__file__)
        files = {name[:-3] for name in os.listdir(folder) if name.endswith(".py")} - {"__init__"}
        self.assertEqual(files, {rule.__name__.split(".")[-1] for rule in rules.ALL})


class Blanking(unittest.TestCase):
    def check(self, text, bare, strings):
        self.assertEqual(blank_cpp(text), (bare, strings))

    def test_comments_and_literals(self):
        self.check('a("b"); // c', 'a(" ");     ', 'a("b");     ')

    def test_comment_signs_in_a_literal(self):
        self.check('"//" /*"*/ b', '"  "       b', '"//"       b')

    def test_digit_separators_are_no_literals(self):
        self.check("1'000 + 2'0", "1'000 + 2'0", "1'000 + 2'0")

    def test_raw_literals(self):
        self.check('R"(a"{)" }', 'R      " }', 'R"(a"{)" }')

    def test_escaped_quotes(self):
        self.check(r'"a\"{" {', '"    " {', r'"a\"{" {')

    def test_line_numbers_stay(self):
        bare, _ = blank_cpp("/* a\nb */\n{")
        self.assertEqual(bare.count("\n"), 2)


class Reporting(unittest.TestCase):
    def test_a_long_function_is_reported_at_its_first_line(self):
        example = {"harness/run/a.cpp": "int x;\n\nint f(int a,\n      int b) {\n" + "  g();\n" * 70
                   + "}\n"}
        rule = next(each for each in rules.ALL if each.NAME == "function-length")
        self.assertEqual([(each.line, each.text.split()[0]) for each in findings(rule, example)],
                         [(3, "f")])

    def test_a_file_barely_too_long_is_a_warning(self):
        rule = next(each for each in rules.ALL if each.NAME == "file-length")
        for lines, warning in ((401, True), (450, True), (451, False)):
            found = findings(rule, {"harness/run/a.cpp": "int a;\n" * lines})
            self.assertEqual([each.warning for each in found], [warning])


if __name__ == "__main__":
    unittest.main(verbosity=0)
