# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING.md as instructions: new files, rows of tables, commands. It is the text itself that
is carried out, so that what it shows and what works are one thing."""

import os
import re
import shutil
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tidy"))

from source import list_files  # noqa: E402

NEW_FILE = re.compile(r"^New file `([^`]+)`:$")
NEW_ROW = re.compile(r"^One row in `([^`]+)`, below `([^`]+)`:$")


class Section:
    """What one part of the page says: files {path: text}, rows [(path, below, text)], commands."""

    def __init__(self, name):
        self.name = name
        self.files, self.rows, self.commands = {}, [], []


def sections(text):
    """Those that tell anything to do, by name. ValueError names what is not understood."""
    found, told = {}, None
    current = Section("")
    lines = iter(text.split("\n"))
    for line in lines:
        if line.startswith("## "):
            current = Section(line[3:])
        elif line.startswith("```"):
            take(current, line[3:], block(lines), told)
            told = None
        elif line:
            told = NEW_FILE.match(line) or NEW_ROW.match(line)
        if current.files or current.rows or current.commands:
            found[current.name] = current
    return found


def block(lines):
    taken = []
    for line in lines:
        if line == "```":
            return "\n".join(taken) + "\n"
        taken.append(line)
    raise ValueError("a block of code does not end")


def take(section, language, text, told):
    if language == "console":
        section.commands += [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    elif told is not None and told.re is NEW_FILE:
        section.files[told[1]] = text
    elif told is not None:
        section.rows.append((told[1], told[2], text))
    elif language:
        raise ValueError(f"a block of {language} in '{section.name}': neither a file nor a row")


def with_row(text, below, row):
    """The text with a row below the one line that begins so."""
    lines = text.split("\n")
    places = [number for number, line in enumerate(lines) if line.strip().startswith(below)]
    if len(places) != 1:
        raise ValueError(f"{len(places)} lines begin with '{below}'")
    return "\n".join(lines[: places[0] + 1]) + "\n" + row + "\n".join(lines[places[0] + 1 :])


def apply(section, tree):
    """Carries out what the section tells, in a copy of the tree."""
    for path, text in section.files.items():
        full = os.path.join(tree, path)
        if os.path.exists(full):
            raise ValueError(f"{path} is there already")
        with open(full, "w", encoding="utf-8") as stream:
            stream.write(text)
    for path, below, row in section.rows:
        full = os.path.join(tree, path)
        with open(full, encoding="utf-8") as stream:
            text = stream.read()
        with open(full, "w", encoding="utf-8") as stream:
            stream.write(with_row(text, below, row))


def copy_tree(top, to):
    """What git knows and what is new, as a source archive would have it."""
    for path in list_files(top):
        source, target = os.path.join(top, path), os.path.join(to, path)
        if not os.path.isfile(source):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
