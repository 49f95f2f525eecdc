#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Style as a test: prints `path:line: rule: what, what to do` and exits 1 if a rule is broken."""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import rules  # noqa: E402
from source import load_tree  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    parser.add_argument("--rule", action="append", help="only this rule; may be repeated")
    options = parser.parse_args()
    chosen = [rule for rule in rules.ALL if not options.rule or rule.NAME in options.rule]
    if not chosen:
        print(f"tidy: no such rule; rules: {', '.join(rule.NAME for rule in rules.ALL)}")
        return 2
    tree = load_tree(options.root)
    if not tree:
        print(f"tidy: no files under {options.root}; give the top of the source tree as --root")
        return 2
    findings = [finding for rule in chosen for finding in rule.check(tree)]
    for finding in sorted(findings, key=lambda each: (each.path, each.line)):
        print(finding)
    for rule in chosen:
        for note in getattr(rule, "notes", lambda _: ())(tree):
            print(f"tidy: {note}")
    broken = sum(not finding.warning for finding in findings)
    print(f"tidy: {len(tree)} files, {len(chosen)} rules, {broken} broken, "
          f"{len(findings) - broken} warnings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
