#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What CONTRIBUTING.md tells a newcomer works as it stands there: its files and rows, put into a
copy of the tree, are in good style, build, run and do what it says. --text stops before the
build."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from contributing_text import apply, copy_tree, sections  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from own_mounts import LoopFs  # noqa: E402
from program import TOP, Ended, read_json, read_text  # noqa: E402

BUILD_SECONDS = 1500
RUN_SECONDS = 60
WANTED = {"A load": (2, 1, 2), "A detector": (2, 2, 2), "A scenario": (1, 1, 2)}


class Copy:
    """A copy of the tree in which the page is followed, and its results."""

    def __init__(self, checks):
        # On a disk: a build in memory would be memory.
        self.path = tempfile.mkdtemp(prefix="stallproof-contributing-", dir="/var/tmp")
        checks.at_end(lambda: subprocess.run(["rm", "-rf", self.path], timeout=120, check=False))
        copy_tree(TOP, self.path)
        self.programs = os.path.join(self.path, "build/dev/harness/cmd")
        self.count = 0

    def run(self, seconds, *words, **variables):
        """(exit code, output), or what it said until its time was over."""
        environment = {**os.environ, **variables, "LC_ALL": "C.UTF-8",
                       "PATH": self.programs + ":" + os.environ["PATH"]}
        try:
            ended = subprocess.run(words, cwd=self.path, env=environment, timeout=seconds,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, check=False)
        except subprocess.TimeoutExpired as error:
            return None, f"not done after {seconds} s: {(error.stdout or b'').decode()[-400:]}"
        return ended.returncode, ended.stdout.decode(errors="replace")

    def command(self, line, directory=""):
        """A command of the page, as a user types it. Its results are in a place of their own."""
        self.count += 1
        state = os.path.join(self.path, f"state-{self.count}")
        began = time.monotonic()
        code, text = self.run(RUN_SECONDS, "bash", "-c", line, DIR=directory,
                              STALLPROOF_STATE_DIR=state)
        run_dir = os.path.realpath(os.path.join(state, "runs/latest"))
        return Ended(code, text, "", run_dir, time.monotonic() - began, code is None)


def told(checks):
    with open(os.path.join(TOP, "CONTRIBUTING.md"), encoding="utf-8") as stream:
        found = sections(stream.read())
    for name, counts in WANTED.items():
        section = found.get(name)
        has = section and (len(section.files), len(section.rows), len(section.commands))
        checks.check(f"{name}: files, rows and commands are on the page", has == counts,
                     f"{has}, not {counts}")
    return found


def follow(checks, copy, found):
    for name, section in found.items():
        problem = ""
        try:
            apply(section, copy.path)
        except (OSError, ValueError) as error:
            problem = str(error)
        checks.check(f"{name}: carried out as it is told", not problem, problem)
    code, text = copy.run(120, "python3", "ci/tidy/tidy.py", "--root", ".")
    checks.check("the style test accepts all of it", code == 0, text[-600:])
    sources = [path for section in found.values() for path in [*section.files, *(
        path for path, _, _ in section.rows)] if path.endswith((".h", ".cpp"))]
    code, text = copy.run(60, "clang-format", "--dry-run", "-Werror", *sources)
    checks.check("and so does clang-format", code == 0, text[-600:])


def build(checks, copy):
    began = time.monotonic()
    code, text = copy.run(120, "cmake", "--preset", "dev", "-DSP_BENCH=OFF")
    if not checks.check("the copy is configured", code == 0, text[-600:]):
        return False
    code, text = copy.run(BUILD_SECONDS, "cmake", "--build", "--preset", "dev", "--target",
                          "stallproof", "detect_test", "scenario_test", "workloads_test")
    built = checks.check("the copy is built", code == 0, text[-1200:])
    checks.row("the copy with all examples is configured and built in, s",
               round(time.monotonic() - began), "")
    return built


def unit_tests(checks, copy):
    for program, tests in (("harness/detect/detect_test", "CpuWaiting.*:DetectorTable.*"),
                           ("harness/scenario/scenario_test",
                            "ScenarioCatalogue.*:SignatureMatch.*"),
                           ("workloads/workloads_test", "Catalogue.*")):
        code, text = copy.run(60, os.path.join(copy.path, "build/dev", program),
                              f"--gtest_filter={tests}")
        checks.check(f"{os.path.basename(program)} {tests} passes", code == 0, text[-600:])
    code, text = copy.run(60, sys.executable, "-c", "import sys; sys.path[:0] = "
                          "['ci/zoo', 'ci/measure']; import mutation_list; "
                          "print(mutation_list.unlisted())")
    checks.check("the zoo knows what is seen with the detector alone", text.strip() == "[]", text)


def load(checks, copy, commands):
    listed = copy.command(commands[0])
    checks.check("the load is listed", "replace-file" in listed.out, listed.out[-300:])
    mount = LoopFs("ext4")
    try:
        ran = copy.command(commands[1], mount.path)
        doc = read_json(ran.run_dir + "/verdict.json") or {}
        seen = doc.get("workloads", {}).get("replace-file", {})
        checks.check("the load runs on a mount, and the run passes", ran.code == 0,
                     f"{ran.describe()} {doc.get('reasons')}")
        checks.check("it does something in every second, without an error",
                     seen.get("per_second_min", 0) > 0
                     and seen.get("errors") == seen.get("mismatches") == 0, json.dumps(seen))
        checks.check("nothing is left on the mount", os.listdir(mount.path) == ["lost+found"],
                     str(os.listdir(mount.path)))
    finally:
        mount.remove()


def words_of(ran, detector):
    """What the detector says in the first incident of a run."""
    incident = ran.incident("001").get("incident.json", {})
    return [each.get("what") for each in incident.get("support", [])
            if each.get("detector") == detector]


def detector(checks, copy, commands):
    seen = copy.command(commands[0])
    checks.check("the stall is reproduced", seen.code == 0, seen.describe())
    checks.check("the detector is heard in it", len(words_of(seen, "cpu-waiting")) == 1
                 and "waited for a processor" in words_of(seen, "cpu-waiting")[0],
                 read_text(seen.run_dir + "/incidents/001/incident.json")[-500:])
    without = copy.command(commands[1])
    checks.check("and not where it is left out", without.incident("001")
                 and not words_of(without, "cpu-waiting"), without.describe())


def scenario(checks, copy, commands):
    stalled = copy.command(commands[0])
    explained = stalled.incident("001").get("explanation.json", {})
    checks.check("the scenario is reproduced and explained as it promises",
                 stalled.code == 0 and explained.get("class") == "fs_frozen", stalled.describe())
    quiet = copy.command(commands[1])
    checks.check("its twin is quiet", quiet.code == 0, quiet.describe())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", action="store_true", help="without building and running")
    options = parser.parse_args()
    with Checks("contributing", BUILD_SECONDS + 600) as checks:
        if not options.text:
            stop_if_lacking(checks)
        found = told(checks)
        if checks.failures:
            return 1
        copy = Copy(checks)
        follow(checks, copy, found)
        if options.text or checks.failures or not build(checks, copy):
            return checks.code
        unit_tests(checks, copy)
        for part, name in ((load, "A load"), (detector, "A detector"), (scenario, "A scenario")):
            before = look()
            part(checks, copy, found[name].commands)
            checks.all(f"{name}: nothing is left on the machine", clean_machine(before))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
