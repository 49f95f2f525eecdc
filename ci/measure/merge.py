#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Results of many nodes become one verdict that says what was made: nothing is green that is
missing, damaged, unfinished or of another build, plan or version, each is named; a thousand nodes
of ten hours are merged in 30 s and 512 MiB, and what a node costs is told for each size; their page
is whole in Chromium."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

sys.dont_write_bytecode = True

import merge_made  # noqa: E402
from browser_look import look, means_of_browser, serve, silent  # noqa: E402
from checks import Checks  # noqa: E402
from program import BINARY, Workspace, read_json, read_text  # noqa: E402

LIMIT_S, LIMIT_MIB, LIMIT_NODES = 30, 512, 1000


class Merge:
    """One call of the program and what it left."""

    def __init__(self, space, words):
        self.out = space.new("merged")
        began = time.monotonic()
        with open(self.out + ".txt", "wb") as out, open(self.out + ".err", "wb") as err:
            child = subprocess.Popen([BINARY, "merge", *words, "-o", self.out],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.code, self.seconds = child.returncode, time.monotonic() - began
        # At least what this script held when it started the program (Linux counts it in).
        self.mib = usage.ru_maxrss / 1024
        self.text, self.err = read_text(self.out + ".txt"), read_text(self.out + ".err")
        self.verdict = read_json(os.path.join(self.out, "verdict.json")) or {}

    def node(self, name):
        return next((each for each in self.verdict.get("nodes", []) if each["node"] == name), {})

    def describe(self):
        return f"exit {self.code} after {self.seconds:.1f} s: {self.text[:300]} {self.err[:200]}"


def cost(checks, space, fleet, count):
    known = merge_made.Known(fleet, count)
    words = ["--expect-nodes", merge_made.list_of(count), *known.directories]
    fleet.forget()
    merged = Merge(space, words)
    checks.row(f"merge of {count} nodes of 10 h",
               f"{merged.seconds:.2f} s, at most {merged.mib:.0f} MiB",
               f"{LIMIT_S} s, {LIMIT_MIB} MiB for {LIMIT_NODES}")
    checks.row(f"the same, each of {count} nodes", f"{merged.seconds * 1000 / count:.1f} ms",
               f"{LIMIT_S * 1000 / LIMIT_NODES:.0f} ms of {LIMIT_NODES}")
    allowed = max(3.0, LIMIT_S * count / LIMIT_NODES)
    checks.check(f"{count} nodes of 10 h are merged in {allowed:.0f} s and {LIMIT_MIB} MiB",
                 merged.code == 1 and merged.seconds <= allowed and merged.mib <= LIMIT_MIB,
                 f"{merged.mib:.0f} MiB: {merged.describe()}")
    page = os.path.join(merged.out, "report.html")
    size = os.path.getsize(page) if os.path.exists(page) else 0
    checks.row(f"report.html of {count} nodes", f"{size / 1e6:.2f} MB", "")
    truth(checks, merged, known, count)
    return known, merged


def truth(checks, merged, known, count):
    document = merged.verdict
    problems = []
    for what, found, wanted in (
            ("verdict", document.get("verdict"), "fail"),
            ("nodes", [each["node"] for each in document.get("nodes", [])], known.nodes),
            ("counted", {each["standing"] for each in document.get("nodes", [])}, {"counted"}),
            ("node-hours", document.get("node_hours"), count * 10.0),
            ("failing stalls", sum(each["failing"] for each in document.get("stalls", [])),
             min(known.failing, 1000)),
            ("operations", sum(each["ops"] for each in document.get("workloads", {}).values()),
             count * 2 * 20_000 * merge_made.SECONDS)):
        if found != wanted:
            problems.append(f"{what}: {str(found)[:120]}, not {str(wanted)[:120]}")
    groups = document.get("together", [])
    if count >= 20 and not (len(groups) == 1 and groups[0]["nodes"] and
                            set(groups[0]["nodes"]) == set(known.stalled) and
                            groups[0]["within_ms"] <= 300 and
                            groups[0]["signatures"] == [merge_made.SIGNATURE]):
        problems.append(f"together: {str(groups)[:300]}")
    kept = os.path.join(merged.out, "incidents")
    explained = {(read_json(os.path.join(kept, each, "explanation.json")) or {}).get("signature")
                 for each in (os.listdir(kept) if os.path.isdir(kept) else [])}
    if explained != {merge_made.SIGNATURE, merge_made.OTHER}:
        problems.append(f"explanations kept: {explained}")
    checks.all(f"the verdict of {count} nodes says what was made", problems)


def forms(checks, space, known, merged):
    page = read_text(os.path.join(merged.out, "report.html"))
    missing = [node for node in known.nodes if f'<th scope="row">{node}</th>' not in page]
    checks.check("the page shows every node and has no script",
                 not missing and "<script" not in page, str(missing[:3]))
    suites = xml.etree.ElementTree.parse(os.path.join(merged.out, "junit.xml")).getroot()
    failures = {suite.get("name") for suite in suites if int(suite.get("failures")) > 0}
    checks.check("JUnit: a suite of each node, the stalled ones and the whole failed",
                 len(suites) == len(known.nodes) + 1 and
                 failures == {*known.stalled, "all nodes"}, str(failures)[:200])
    count = len(known.stalled)
    within = "same signature" in merged.text.splitlines()[0]
    checks.check("the first line says what began together",
                 f"{count} nodes stalled within" in merged.text.splitlines()[0] and within,
                 merged.text[:300])
    junit, summary = space.new("junit"), space.new("summary")
    again = Merge(space, ["--expect-nodes", ",".join(known.nodes), "--junit", junit,
                          "--summary-md", summary, "--json", *known.directories])
    document = json.loads(again.text) if again.text.startswith("{") else {}
    checks.check("--json is the verdict and nothing else, a comma list is the same list",
                 document == again.verdict and document.get("nodes") == merged.verdict["nodes"] and
                 "|" in read_text(summary) and read_text(junit).startswith("<?xml"),
                 again.describe())
    gate = subprocess.run([BINARY, "gate", merged.out, "--json"], capture_output=True, text=True,
                          timeout=60, check=False)
    told = json.loads(gate.stdout) if gate.stdout.startswith("{") else {}
    checks.check("gate takes the merge as all its nodes and hours",
                 gate.returncode == 1 and told.get("node_hours") == merged.verdict["node_hours"] and
                 told.get("nodes") == sorted(known.nodes) and
                 told.get("failing_stalls") == known.failing, gate.stdout[:300] + gate.stderr[:200])
    lines = [line for line in merged.text.splitlines() if "stallproof show " in line]
    shown = subprocess.run([BINARY, *lines[0].split()[1:]] if lines else ["false"],
                           capture_output=True, text=True, timeout=60, check=False)
    checks.check("the command that it names shows the stall", shown.returncode == 0 and
                 merge_made.EXPLAINED in shown.stdout, shown.stdout[:200] + shown.stderr[:200])


def in_a_browser(checks, space, merged, count):
    lack = means_of_browser()
    if not checks.check("a browser can be driven", not lack, lack):
        return
    base = serve(merged.out, checks)
    ways = {"light": {}, "dark and narrow": {"scheme": "dark", "width": 360},
            "under a policy, without scripts": {"scripts": False}}
    orders = [{"name": name, **way, "url": base + ("/policy" if "policy" in name else "") +
               "/report.html"} for name, way in ways.items()]
    seen = look(orders, space, 120)
    for order in orders:
        checks.all(f"the page of {count} nodes in Chromium, {order['name']}: loads nothing, says "
                   "all in words", silent(seen[order["name"]], order["url"]))


def good(fleet, *nodes):
    for node in nodes:
        fleet.put(node, merge_made.verdict(node))


def trouble(checks, space, fleet):
    """(name, what is changed, exit code, standing of n3, words about it) of three nodes."""
    def cut(path, keep):
        os.truncate(path, int(os.path.getsize(path) * keep))

    at = fleet.directory("n3")
    died = merge_made.verdict("n3", verdict="unknown", exit_code=3, duration_s=4000,
                              reasons=["node_died_no_vmcore: the machine has booted since"])
    cases = (
        ("all is well", lambda: None, 0, "counted", ""),
        ("no directory", lambda: shutil.rmtree(at), 3, "missing", "No such file"),
        ("an empty directory", lambda: (shutil.rmtree(at), os.mkdir(at)), 3, "missing",
         "nothing of a run"),
        ("no verdict", lambda: os.remove(at + "/verdict.json"), 3, "unfinished", "postmortem"),
        ("a cut verdict", lambda: cut(at + "/verdict.json", 0.6), 3, "damaged", "verdict.json"),
        ("an empty verdict", lambda: cut(at + "/verdict.json", 0), 3, "damaged", "verdict.json"),
        ("cut series", lambda: replace_series(at, b"t_ms,load,ops,bytes\n1000,a,1,2\n20"), 0,
         "counted", ""),
        ("a node that died", lambda: fleet.put("n3", died), 1, "died", "node_died"),
        ("another build", lambda: fleet.put("n3", merge_made.verdict("n3", build="3.2.0")), 3,
         "refused", "build: '3.2.0', not '3.2.1'"),
        ("another stallproof",
         lambda: fleet.put("n3", merge_made.verdict("n3", tool_version="0.0.9")), 3, "refused",
         "stallproof: '0.0.9', not '0.1.0'"),
        ("another plan", lambda: merge_made.write(at + "/plan.toml",
                                                  merge_made.PLAN.replace("10h", "1h")), 3,
         "refused", "plan.duration: '1h', not '10h'"),
        ("an unknown verdict",
         lambda: fleet.put("n3", merge_made.verdict("n3", verdict="unknown", exit_code=3,
                                                    reasons=["interrupted: SIGTERM"])), 3,
         "counted", "SIGTERM"),
        ("a clock apart", lambda: coordinate(fleet, 2500.0), 3, "refused", "clock is +2.500 s"),
        ("clocks together", lambda: coordinate(fleet, 12.0), 0, "counted", ""),
    )
    for name, change, code, standing, words in cases:
        for node in ("n1", "n2", "n3"):
            shutil.rmtree(fleet.directory(node), ignore_errors=True)
        good(fleet, "n1", "n2", "n3")
        change()
        merged = Merge(space, ["--expect-nodes", "n[1-3]",
                               *map(fleet.directory, ("n1", "n2", "n3"))])
        node = merged.node("n3")
        told = code == 0 or ("n3" in merged.text and words in merged.text)
        checks.check(f"{name}: exit {code}, n3 is {standing} and named", merged.code == code and
                     node.get("standing") == standing and words in node.get("why", "") and told,
                     f"{node} {merged.describe()}")


def replace_series(directory, content):
    place = directory + "/series/loads.csv"
    os.remove(place)  # the file itself belongs to all nodes
    with open(place, "wb") as stream:
        stream.write(content)


def coordinate(fleet, offset_ms):
    for rank, node in enumerate(("n1", "n2", "n3")):
        path = os.path.join(fleet.directory(node), "env.json")
        offset = offset_ms if node == "n3" else 0
        merge_made.write(path, {**read_json(path), "coordination": {
            "job": "77.0", "rank": rank, "count": 3, "share": "ranges", "plan_id": "9b0d4c2f",
            "start": merge_made.stamp(0), "load_started": merge_made.stamp(0),
            "start_late_ms": 0.2, "clock": {"against": "n1", "offset_ms": offset, "error_ms": 9.0,
                                            "synchronised": True, "max_error_ms": 30.0}}})


def usage(checks, space, fleet):
    good(fleet, "n1", "n2")
    shutil.copytree(fleet.directory("n1"), fleet.directory("n1-again"))
    one, two, again = map(fleet.directory, ("n1", "n2", "n1-again"))
    for name, words, needle in (
            ("two results of one node", ["--expect-nodes", "n[1-2]", one, two, again], again),
            ("the same directory twice", ["--expect-nodes", "n1", one, one], one),
            ("a list that is none", ["--expect-nodes", "n[1-", one], "column"),
            ("a list of millions", ["--expect-nodes", "n[0-9999999]", one], "more than"),
            ("no result at all", ["--expect-nodes", "n1", one + "-nowhere"], "no result at all"),
            ("no list", [one], "--expect-nodes"),
            ("a node that died and was not expected",
             ["--expect-nodes", "n1", "--died", "n9", one], "n9")):
        merged = Merge(space, words)
        checks.check(f"{name}: exit 2 in one line, nothing is written", merged.code == 2 and
                     not merged.text and len(merged.err.splitlines()) == 1 and
                     needle in merged.err and not os.path.exists(merged.out), merged.describe())
    stranger = Merge(space, ["--expect-nodes", "n1", one, two])
    checks.check("a node that nobody expected is refused by name", stranger.code == 3 and
                 "n2: refused" in stranger.text, stranger.describe())
    lost = Merge(space, ["--expect-nodes", "n[1-3]", "--died", "n3", one, two])
    checks.check("a node that the launcher saw die fails it without a result", lost.code == 1 and
                 "n3: node_died" in lost.text, lost.describe())
    refused = subprocess.run([BINARY, "merge", "--expect-nodes", "n1", one, "-o", lost.out],
                             capture_output=True, text=True, timeout=60, check=False)
    checks.check("no result is overwritten", refused.returncode == 2 and
                 "already holds" in refused.stderr, refused.stderr[:200])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[3, 50],
                        help="so many nodes, one fleet after the other")
    parser.add_argument("--deadline", type=int, default=900)
    options = parser.parse_args()
    with Checks("merge", options.deadline) as checks:
        space = Workspace()
        checks.at_end(space.remove)
        for count in options.nodes:
            fleet = merge_made.Fleet(space.new(f"fleet-{count}"))
            known, merged = cost(checks, space, fleet, count)
            if count == options.nodes[-1]:
                forms(checks, space, known, merged)
                in_a_browser(checks, space, merged, count)
            shutil.rmtree(fleet.path)
        small = merge_made.Fleet(space.new("small"), seconds=60, series=1)
        trouble(checks, space, small)
        usage(checks, space, merge_made.Fleet(space.new("usage"), seconds=60, series=1))
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
