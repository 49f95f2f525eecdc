#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""counts.py junit FILE | measure LOG | table LOG…: what ci/test counts and prints.
junit and measure: first line `PASSED FAILED SKIPPED`, then one line per failure and skip."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree


def from_junit(path):
    """Counts of ctest's JUnit file. A skip's reason is what the test said last about it."""
    passed, lines, failed, skipped = 0, [], 0, 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name, output = case.get("name"), case.findtext("system-out") or ""
        if case.find("failure") is not None or case.get("status") == "fail":
            failed += 1
            lines.append(f"FAIL {name}")
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
            lines.append(f"skip {name}: {skip_reason(output)}")
        else:
            passed += 1
    return passed, failed, skipped, lines


def skip_reason(output):
    # GoogleTest: "FILE:LINE: Skipped", then the message.
    found = re.search(r": Skipped\n(.+)", output)
    if found:
        return found.group(1).strip()
    said = [line.strip() for line in output.splitlines() if line.strip()]
    return said[-1] if said else "no reason given"


def summary_of(path):
    """The JSON summary a measure ends with, or None when it did not get that far."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in reversed(stream.read().splitlines()):
            if line.startswith('{"name"'):
                return json.loads(line)
    return None


def from_measure(path):
    summary = summary_of(path)
    if summary is None:
        return 0, 1, 0, [f"FAIL {path}: ended without a summary"]
    name = summary["name"]
    lines = [f"FAIL {name}: {text}" for text in summary["failures"]]
    lines += [f"skip {name}: {text}" for text in summary["skips"]]
    return summary["passed"], summary["failed"], summary["skipped"], lines


def print_table(paths):
    rows = [row for path in paths for row in (summary_of(path) or {}).get("rows", [])]
    if not rows:
        return
    widths = [max(len(str(row[key])) for row in rows) for key in ("what", "value")]
    for row in rows:
        limit = f"  (limit: {row['limit']})" if row["limit"] != "" else ""
        print(f"  {row['what']:<{widths[0]}}  {row['value']!s:>{widths[1]}}{limit}")


def main(words):
    if words[:1] == ["table"]:
        print_table(words[1:])
        return 0
    if len(words) != 2 or words[0] not in ("junit", "measure"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        result = (from_junit if words[0] == "junit" else from_measure)(words[1])
    except (OSError, ElementTree.ParseError, ValueError, KeyError) as error:
        result = 0, 1, 0, [f"FAIL {words[1]}: {error}"]
    print(*result[:3])
    print("\n".join(result[3]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
