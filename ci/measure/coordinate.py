#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One plan as three nodes at once, without any launcher: the runs start in the same second, verify
what they share in each of the four ways, and leave nothing; who is alone, has another plan or is
killed is told by name, and cleaned up after."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from program import BINARY, Started, Workspace, read_json  # noqa: E402

NODES = 3
SKEW_MS = 50
PLAN = """\
[plan]
name = "fleet"
duration = "{seconds}s"
[coordinate]
share = "{share}"
wait = "{wait}s"
[[process]]
  [[process.load]]
  workload = "direct-io"
  threads = 2
  io-file-size = "6MiB"
  io-read-percent = {reads}
  io-rate = 300
  direct = "auto"
  [[process.load]]
  workload = "mapped-fault"
  threads = 1
  file-size = "6MiB"
"""


class Fleet:
    """Runs of one plan, each as another node."""

    def __init__(self, space, target, share, seconds=3, wait=30, **changes):
        self.space, self.job = space, f"job-{space.count}"
        self.meet = space.new("meet")
        os.makedirs(self.meet)
        self.plan = space.new("plan") + ".toml"
        reads = 100 if share == "shared-files" else 70
        text = PLAN.format(share=share, seconds=seconds, wait=wait, reads=reads)
        with open(self.plan, "w", encoding="utf-8") as stream:
            stream.write(text)
        self.target, self.runs = target, {}
        for rank in range(NODES):
            if rank not in changes.get("absent", ()):
                self.start(rank, changes.get("words", {}).get(rank, ()))

    def start(self, rank, words=()):
        environment = {**os.environ, "STALLPROOF_NODE": f"n{rank}",
                       "STALLPROOF_NODE_RANK": str(rank), "STALLPROOF_NODE_COUNT": str(NODES),
                       "STALLPROOF_JOB": self.job, "STALLPROOF_MEET": self.meet}
        self.runs[rank] = Started(["run", self.plan, "--target", self.target, "--quiet", *words],
                                  self.space, env=environment)

    def end(self, seconds):
        return {rank: run.ended(seconds) for rank, run in self.runs.items()}


def facts(ended):
    return {rank: (read_json(os.path.join(each.run_dir, "env.json")) or {}).get("coordination")
            for rank, each in ended.items()}


def verdict(ended):
    return read_json(os.path.join(ended.run_dir, "verdict.json")) or {}


def left(fleet):
    """What is left on the target and where they met."""
    return [os.path.join(folder, name) for folder in (fleet.target, fleet.meet)
            for name in os.listdir(folder)]


def shares(checks, space, target, seconds):
    for share in ("own-files", "ranges", "shared-files", "same-file"):
        fleet = Fleet(space, target, share, seconds)
        ended = fleet.end(seconds + 40)
        told = facts(ended)
        good = all(each.code == 0 for each in ended.values())
        checks.check(f"{share}: three nodes pass, what they read is right", good,
                     "; ".join(each.describe() for each in ended.values()))
        if not all(each and each["load_started"] for each in told.values()):
            checks.check(f"{share}: all start", False, str(told))
            continue
        late = [each["start_late_ms"] for each in told.values()]
        skew = max(late) - min(late)
        checks.check(f"{share}: one second, one plan, within {SKEW_MS} ms",
                     len({(each["start"], each["plan_id"]) for each in told.values()}) == 1 and
                     skew <= SKEW_MS and min(late) >= 0, str(told))
        checks.row(f"{share}: start skew of 3 runs, ms", round(skew, 3), f"{SKEW_MS}")
        clocks = [each["clock"] for each in told.values()]
        checks.check(f"{share}: one clock is found to be one, within the stated error",
                     all(abs(each["offset_ms"]) <= each["error_ms"] for each in clocks),
                     str(clocks))
        checks.row(f"{share}: error of the comparison, ms, largest",
                   max(each["error_ms"] for each in clocks), "")
        checks.all(f"{share}: nothing is left", left(fleet))
        # A plan is the same on all nodes, and names each node itself.
        checks.check(f"{share}: each verdict has its node's name",
                     [verdict(each).get("node") for each in ended.values()] == ["n0", "n1", "n2"],
                     str([verdict(each).get("node") for each in ended.values()]))


def who_does_not_fit(checks, space, target):
    fleet = Fleet(space, target, "ranges", 3, 3, absent=(2,))
    ended = fleet.end(40)
    checks.check("a node that does not come is named, the others end as unknown",
                 all(each.code == 3 for each in ended.values()) and
                 "node 2 of 3" in " ".join(verdict(ended[0]).get("reasons", [])),
                 "; ".join(each.describe() for each in ended.values()))
    checks.all("and nothing is left", left(fleet))
    fleet = Fleet(space, target, "own-files", 3, 20, words={1: ("--stall-after", "2s")})
    ended = fleet.end(40)
    reasons = " ".join(" ".join(verdict(each).get("reasons", [])) for each in ended.values())
    checks.check("another plan on one node: nobody starts, and it is named",
                 all(each.code == 3 for each in ended.values()) and
                 "n1 has another plan than n0" in reasons, reasons)
    checks.check("no load was started there",
                 not any(event.get("event") == "load_started" for each in ended.values()
                         for event in each.events()), "a load started")


def killed_node(checks, space, target):
    """What a killed node leaves in the shared directories goes with its next start."""
    fleet = Fleet(space, target, "same-file", 4)
    started = all(run.wait_event(40, event="load_started") for run in fleet.runs.values())
    checks.check("all start", started)
    fleet.runs[1].signal(signal.SIGKILL)
    ended = {rank: fleet.runs[rank].ended(40) for rank in (0, 2)}
    checks.check("the others go on and pass", all(each.code == 0 for each in ended.values()),
                 "; ".join(each.describe() for each in ended.values()))
    fleet.runs[1].wait(5)
    checks.check("what they shared stays while somebody may use it", left(fleet), "nothing is left")
    done = subprocess.run([BINARY, "postmortem", "--run", fleet.runs[1].run_dir, "--json"],
                          capture_output=True, text=True, timeout=60, check=False)
    runs = json.loads(done.stdout or '{"runs": [{}]}')["runs"]
    checks.check("its next start closes its run", done.returncode == 3 and
                 runs[0].get("ended") == "controller_died", f"exit {done.returncode}: {runs}")
    checks.all("and removes what it was the last to use", left(fleet))


def refused_environment(checks, space, target):
    plan = Fleet(space, target, "ranges", absent=range(NODES)).plan
    for name, value, word in (("STALLPROOF_NODE_RANK", "3", "STALLPROOF_NODE_RANK=3"),
                              ("STALLPROOF_NODE_COUNT", "", "STALLPROOF_NODE_COUNT="),
                              ("STALLPROOF_JOB", "a b", "STALLPROOF_JOB='a b'"),
                              ("STALLPROOF_MEET", "/nowhere", "/nowhere")):
        environment = {**os.environ, "STALLPROOF_NODE_RANK": "0", "STALLPROOF_NODE_COUNT": "3",
                       "STALLPROOF_JOB": "j", "STALLPROOF_MEET": space.path, name: value}
        ended = Started(["run", plan, "--target", target], space, env=environment).ended(30)
        checks.check(f"{name}={value!r} is refused in one line: exit 2",
                     ended.code == 2 and word in ended.err and ended.err.count("\n") == 1,
                     f"{ended.describe()}: {ended.err}")
    ended = Started(["run", plan, "--target", target], space).ended(30)
    checks.check("without a launcher: exit 2, and what to set",
                 ended.code == 2 and "srun" in ended.err and "STALLPROOF_NODE_RANK" in ended.err,
                 ended.err)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of load in each of the four ways")
    options = parser.parse_args()
    with Checks("coordinate", 200 + 4 * options.seconds) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        target = space.new("target")
        os.makedirs(target)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", target], check=True)
        checks.at_end(lambda: subprocess.run(["umount", target], capture_output=True, check=False))
        refused_environment(checks, space, target)
        began = time.monotonic()
        shares(checks, space, target, options.seconds)
        who_does_not_fit(checks, space, target)
        killed_node(checks, space, target)
        checks.row("the runs together, s", round(time.monotonic() - began, 1), "")
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
