# SPDX-License-Identifier: Apache-2.0
"""The tree as the rules see it: text files by path, C++ with comments or strings blanked out."""

import os
import subprocess

CPP_SUFFIXES = (".h", ".cpp", ".c")


class Finding:
    """One broken rule at one place. `line` counts from 1; a warning does not fail the test."""

    def __init__(self, path, line, rule, text, warning=False):
        self.path, self.line, self.rule, self.text, self.warning = path, line, rule, text, warning

    def __str__(self):
        kind = "warning: " if self.warning else ""
        return f"{self.path}:{self.line}: {self.rule}: {kind}{self.text}"


class Source:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        self._blanked = None

    @property
    def is_cpp(self):
        return self.path.endswith(CPP_SUFFIXES)

    @property
    def is_test(self):
        return self.path.endswith(("_test.cpp", "_bench.cpp")) or "/testing/" in self.path

    @property
    def is_python(self):
        return self.path.endswith(".py") or "python" in self.shebang

    @property
    def is_shell(self):
        return self.path.endswith(".sh") or self.shebang.endswith(("sh", "bash"))

    @property
    def is_cmake(self):
        return self.path.endswith((".cmake", "CMakeLists.txt"))

    @property
    def is_program_text(self):
        return self.is_cpp or self.is_python or self.is_shell or self.is_cmake

    @property
    def shebang(self):
        return self.lines[0] if self.lines and self.lines[0].startswith("#!") else ""

    @property
    def code(self):
        """C++ without comments and without the content of literals; line numbers unchanged."""
        return self._blank()[0]

    @property
    def code_and_strings(self):
        """C++ without comments; line numbers unchanged."""
        return self._blank()[1]

    def _blank(self):
        if self._blanked is None:
            self._blanked = blank_cpp(self.text)
        return self._blanked


def blank_cpp(text):
    """(without comments and literals, without comments): same length, same line breaks."""
    bare, strings = list(text), list(text)
    at = 0
    while at < len(text):
        kind, end = _token(text, at)
        if kind == "comment":
            _erase(bare, at, end)
            _erase(strings, at, end)
        elif kind == "literal":
            _erase(bare, at + 1, end - 1)
        at = end
    return "".join(bare), "".join(strings)


def _token(text, at):
    if text.startswith("//", at):
        end = text.find("\n", at)
        return "comment", len(text) if end < 0 else end
    if text.startswith("/*", at):
        end = text.find("*/", at + 2)
        return "comment", len(text) if end < 0 else end + 2
    if text.startswith('R"', at) and not text[at - 1 : at].isalnum():
        delimiter = text[at + 2 : text.find("(", at)]
        end = text.find(")" + delimiter + '"', at)
        return "literal", len(text) if end < 0 else end + len(delimiter) + 2
    # An apostrophe after a digit or letter separates digits: 1'000.
    if text[at] == '"' or (text[at] == "'" and not text[at - 1 : at].isalnum()):
        return "literal", _end_of_literal(text, at)
    return "code", at + 1


def _end_of_literal(text, at):
    quote, end = text[at], at + 1
    while end < len(text) and text[end] not in (quote, "\n"):
        end += 2 if text[end] == "\\" else 1
    return min(end + 1, len(text))


def _erase(chars, begin, end):
    for i in range(begin, min(end, len(chars))):
        if chars[i] != "\n":
            chars[i] = " "


def load_tree(root):
    """Every tracked or new text file below root, as {path: Source}."""
    tree = {}
    for path in list_files(root):
        full = os.path.join(root, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        with open(full, "rb") as stream:
            content = stream.read()
        if b"\0" not in content:
            tree[path] = Source(path, content.decode("utf-8", "replace"))
    return tree


def list_files(root):
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False, timeout=60)
    if listing.returncode == 0:
        return sorted(set(listing.stdout.decode().split("\0")) - {""})
    # A source archive has no git.
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", "build", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return sorted(found)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
