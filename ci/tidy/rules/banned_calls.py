# SPDX-License-Identifier: Apache-2.0
"""Calls that block without a deadline, overflow, or hide what they do."""

import re

from source import Finding, line_of

NAME = "banned-call"
OURS = ("harness/", "workloads/")

# (pattern, folders, tests too?, what to do instead)
TABLE = (
    (r"(?<![\w.>])system\s*\(", OURS, True, "start the program by Child or write the file"),
    (r"(?<![\w.>])popen\s*\(", OURS, True, "a shell has no deadline: use Child and a Pipe"),
    (r"\bstrcpy\s*\(", OURS, True, "use std::string or a bounded copy"),
    (r"\bv?sprintf\s*\(", OURS, True, "use fmt::format or format_to_n"),
    (r"(?<![\w.>])gets\s*\(", OURS, True, "use read_file"),
    (r"\bstd::this_thread::sleep_(for|until)\b", OURS, False,
     "wait for something, with a Deadline"),
    (r"\bwaitpid\s*\((?![^;]*WNOHANG)", OURS, False,
     "a child stuck in the kernel is never reaped: use Child::reap_by, or WNOHANG and a Deadline"),
    (r"\bstd::async\b", OURS, True, "its future's destructor joins without a deadline"),
    (r"\bstd::regex\b", OURS, True, "slow and recursive: parse by string_view"),
    (r"\busing\s+namespace\s+std\s*;", OURS, True, "name what you use"),
)


def check(tree):
    for source in tree.values():
        if not source.is_cpp:
            continue
        for pattern, folders, tests_too, instead in TABLE:
            if not source.path.startswith(folders) or (source.is_test and not tests_too):
                continue
            for match in re.finditer(pattern, source.code):
                yield Finding(source.path, line_of(source.code, match.start()), NAME,
                              f"{match.group().strip(' (')}: {instead}")


GOOD = [
    {"harness/run/a.cpp": '// system("x") is banned\nconst char* kText = "popen(x)";\n'},
    {"harness/base/process.cpp": "while (::waitpid(pid, &status,\n  WNOHANG) != pid) {\n"},
    {"harness/run/a_test.cpp": "std::this_thread::sleep_for(1ms); ::waitpid(pid, &s, 0);\n"},
    {"harness/run/a.cpp": "view.system(1); file_system(2); snprintf(b, n, f);\n"},
]
BAD = [{"harness/run/a.cpp": text} for text in (
    "  std::system(command);\n", "FILE* f = ::popen(c, m);\n", "strcpy(a, b);\n",
    "sprintf(a, b);\n",
    "gets(a);\n", "std::this_thread::sleep_for(x);\n", "::waitpid(pid, &s, 0); f(WNOHANG);\n",
    "auto f = std::async(g);\n", "std::regex r;\n", "using namespace std;\n")]
