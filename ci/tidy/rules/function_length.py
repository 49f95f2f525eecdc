# SPDX-License-Identifier: Apache-2.0
"""No function over 70 lines (main: 40), in C++ by braces and in Python by its own parser."""

import ast
import re

from source import Finding

NAME = "function-length"
LIMIT, MAIN_LIMIT = 70, 40

CONTROL = re.compile(r"^\s*(if|for|while|switch|catch|else|do|namespace|class|struct|union|enum|"
                     r"extern)\b")
# What may stand between the parameters and the body.
BODY_FOLLOWS = re.compile(r"(\)|\bconst|\bnoexcept|\boverride|\bfinal|\bmutable|\btry|"
                          r"->\s*[\w:<>,&*\s\[\]]+)\s*$")


def check(tree):
    for source in tree.values():
        if source.is_cpp:
            found = cpp_functions(source.code)
        elif source.is_python:
            found = python_functions(source.text)
        else:
            continue
        for name, first, last in found:
            limit = MAIN_LIMIT if name == "main" else LIMIT
            if last - first + 1 > limit:
                yield Finding(source.path, first, NAME,
                              f"{name} has {last - first + 1} lines, at most {limit}; split it by "
                              "what a reader would name")


def cpp_functions(code):
    """(name, first line, last line) of each outermost function body."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m.group().count("\n"), code,
                  flags=re.M)
    functions, opened, current, begin, line = [], [], None, 0, 1
    for at, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == "{":
            header = code[begin:at]
            if current is None and is_function(header):
                blank = len(header) - len(header.lstrip())
                current = (len(opened), name_of(header), line - header[blank:].count("\n"))
            opened.append(char)
        elif char == "}" and opened:
            opened.pop()
            if current is not None and len(opened) == current[0]:
                functions.append((current[1], current[2], line))
                current = None
        if char in "{};":
            begin = at + 1
    return functions


def is_function(header):
    # Access specifiers are the only labels outside of functions.
    header = re.sub(r"\b(public|private|protected)\s*:", "", header)
    return bool("(" in header and BODY_FOLLOWS.search(header) and not CONTROL.match(header))


def name_of(header):
    match = re.search(r"([\w:~]+)\s*\(", header)
    return match.group(1) if match else "lambda"


def python_functions(text):
    try:
        nodes = ast.walk(ast.parse(text))
    except SyntaxError:
        return []
    return [(node.name, node.lineno, node.end_lineno) for node in nodes
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


GOOD = [
    {"harness/run/a.cpp": "int f() {\n" + "  g();\n" * 68 + "}\n"},
    {"harness/run/a.cpp": "namespace x {\n" + "int f() { return 1; }\n" * 200 + "}\n"},
    {"harness/run/a.h": "struct Big {\n" + "  int f() const { return a_; }\n" * 90 + "};\n"},
    {"harness/run/a.cpp": "const Row kRows[] = {\n" + "  {1, f(2)},\n" * 90 + "};\n"},
    {"ci/a.py": "def f():\n" + "    g()\n" * 69},
]
BAD = [
    {"harness/run/a.cpp": "int f() {\n" + "  g();\n" * 69 + "}\n"},
    {"harness/run/a.cpp": "int main(int argc, char** argv) {\n" + "  g();\n" * 40 + "}\n"},
    {"harness/run/a.cpp": "A::A(int b)\n    : b_(b) {\n" + "  if (x) { y(\"}\"); }\n" * 69 + "}\n"},
    {"harness/run/a.cpp": "namespace x {\nauto f(int a)\n -> Result<int> {\n" + "  g();\n" * 69
                          + "}\n}\n"},
    {"harness/run/a_test.cpp": "TEST(A, B) {\n" + "  g();\n" * 69 + "}\n"},
    {"ci/a.py": "def f():\n" + "    g()\n" * 70},
]
