# SPDX-License-Identifier: Apache-2.0
"""Each version stands once in the changelog, and each kind of change once in a version."""

from source import Finding

NAME = "changelog"


def check(tree):
    source = tree.get("CHANGELOG.md")
    if source is None:
        return
    versions, kinds = set(), set()
    for number, line in enumerate(source.lines, 1):
        if line.startswith("## "):
            seen, kinds = versions, set()
        elif line.startswith("### "):
            seen = kinds
        else:
            continue
        if line.strip() in seen:
            yield Finding(source.path, number, NAME,
                          f"'{line.strip()}' stands here a second time; merge the two")
        seen.add(line.strip())


GOOD = [{"CHANGELOG.md": "## 0.2\n### Added\n## 0.1\n### Added\n"}]
BAD = [
    {"CHANGELOG.md": "## 0.1\n## 0.1\n"},
    {"CHANGELOG.md": "## 0.1\n### Added\n### Fixed\n### Added\n"},
]
