# SPDX-License-Identifier: Apache-2.0
"""A workload or scenario that its catalogue does not name can never be run: there is no
registration by static objects, which a linker may drop."""

import posixpath
import re

from source import Finding

NAME = "catalogue"

# Folder: what a definition in it looks like. A definition is an object, a function returning one
# or a class of it.
KINDS = {
    "workloads": re.compile(
        r"^(?:extern\s+|inline\s+)?(?:const\s+|constexpr\s+)*(?:Workload|WorkloadInfo)&?\s+(\w+)"
        r"\s*(?:=|\{|\([^)]*\)\s*\{)|^\s*(?:class|struct)\s+(\w+)\s*(?:final\s*)?:\s*public\s+"
        r"Workload\b", re.M),
    "harness/scenario": re.compile(
        r"^(?:extern\s+|inline\s+)?(?:const\s+|constexpr\s+)*(?:Scenario|ScenarioInfo)&?\s+(\w+)"
        r"\s*(?:=|\{|\([^)]*\)\s*\{)|^\s*(?:class|struct)\s+(\w+)\s*(?:final\s*)?:\s*public\s+"
        r"Scenario\b", re.M),
}


def check(tree):
    for folder in KINDS:
        catalogue = tree.get(folder + "/catalogue.cpp")
        for source, names in definitions(tree, folder):
            stem = posixpath.basename(source.path)[: -len(".cpp")]
            wanted = names + [stem, stem.replace("_", "-")]
            if catalogue is None or not any(
                    re.search(rf"(?<!\w){re.escape(name)}(?!\w)", catalogue.code_and_strings)
                    for name in wanted):
                yield Finding(source.path, 1, NAME,
                              f"defines {', '.join(names)}, but {folder}/catalogue.cpp names none "
                              "of them; add its row")


def notes(tree):
    for folder in KINDS:
        yield f"{NAME}: {len(definitions(tree, folder))} found in {folder}/"


def definitions(tree, folder):
    found = []
    for source in tree.values():
        if posixpath.dirname(source.path) != folder or not source.path.endswith(".cpp"):
            continue
        if source.is_test or source.path.endswith("/catalogue.cpp"):
            continue
        names = [a or b for a, b in KINDS[folder].findall(source.code)]
        if names:
            found.append((source, names))
    return found


GOOD = [
    {"workloads/worker.cpp": "int run(const WorkloadInfo& info);\n"},
    {"workloads/null.cpp": "const WorkloadInfo kNull{\n};\n",
     "workloads/catalogue.cpp": "extern const WorkloadInfo kNull;\n"},
    {"harness/scenario/loop_dead.cpp": "Scenario make(int a) {\n}\n",
     "harness/scenario/catalogue.cpp": '{"loop-dead", f},\n'},
]
BAD = [
    {"workloads/null.cpp": "const WorkloadInfo kNull{\n};\n"},
    {"workloads/null.cpp": "class Null : public Workload {\n};\n",
     "workloads/catalogue.cpp": "// Null\nextern const WorkloadInfo kNullify;\n"},
    {"harness/scenario/a.cpp": "const ScenarioInfo kLoop = {};\n",
     "harness/scenario/catalogue.cpp": "const ScenarioInfo* all[] = {};\n"},
]
