#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A fleet's night on a real Slurm of three nodes on this machine: one plan starts on all in the
same second, each on its own part of the same files; a node that dies in mid-run comes back to its
own job, closes its run and is counted; the night fails, and its evidence is kept. --full also: all
nodes in one job, a time limit, a task that cannot be killed."""

import argparse
import glob
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from program import Workspace, read_json, read_text  # noqa: E402
from slurm_cluster import GLUE, Cluster, lacking_programs  # noqa: E402

NAMES = ("n1", "n2", "n3")
SKEW_MS = 50
NIGHT_S = 120
PLAN = """\
[plan]
duration = "{seconds}s"
target = "{target}"
[coordinate]
share = "{share}"
wait = "60s"
[[process]]
  [[process.load]]
  workload = "direct-io"
  threads = 2
  io-file-size = "12MiB"
  io-rate = 200
  direct = "auto"
  [[process.load]]
  workload = "mprotect-storm"
  profile = "jvm-steady"
"""


class Night:
    """One call of submit, in the background."""

    def __init__(self, space, cluster, target, share, seconds, *words):
        self.base = space.new("night")
        os.makedirs(self.base + "/results")
        with open(self.base + "/plan.toml", "w", encoding="utf-8") as stream:
            stream.write(PLAN.format(seconds=seconds, target=target, share=share))
        self.cluster = cluster
        self.began = time.monotonic()
        self.process = cluster.submit(
            "--plan", self.base + "/plan.toml", "--nodes", "n[1-3]", "--results",
            self.base + "/results", *words, log=self.base + "/submit.log")

    @property
    def results(self):
        found = glob.glob(self.base + "/results/2*")
        return found[0] if found else self.base + "/results/none"

    def environments(self, cluster):
        """{node: coordination} of runs whose load has started, from the nodes' own disks."""
        found = {}
        for name in NAMES:
            for path in glob.glob(f"{cluster.base}/{name}/local/runs/"
                                  f"{os.path.basename(self.results)}/env.json"):
                told = (read_json(path) or {}).get("coordination") or {}
                if told.get("load_started"):
                    found[name] = told
        return found

    def wait_started(self, cluster, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            found = self.environments(cluster)
            if len(found) == len(NAMES):
                return found
            time.sleep(0.1)
        return self.environments(cluster)

    def end(self, seconds):
        """The exit code, or None when it had to be ended."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(timeout=20)
            return None

    def verdict(self, name):
        return read_json(f"{self.results}/{name}/verdict.json") or {}

    def said(self):
        logs = sorted(glob.glob(self.results + "/*.log"))
        return " | ".join([read_text(self.base + "/submit.log")[-800:]] +
                          [os.path.basename(log) + ": " + read_text(log)[-300:] for log in logs])


def check_start(checks, told, said):
    if not checks.check("all nodes start", len(told) == len(NAMES), f"{sorted(told)}: {said}"):
        return
    checks.check("in the second that they agreed on, with one plan",
                 len({each["start"] for each in told.values()}) == 1 and
                 len({each["plan_id"] for each in told.values()}) == 1, str(told))
    # One machine has one clock: what the nodes measured of each other's must be nothing.
    late = [each["start_late_ms"] for each in told.values()]
    skew = max(late) - min(late)
    checks.row("start skew over 3 nodes, ms", round(skew, 3), f"{SKEW_MS}")
    checks.check(f"within {SKEW_MS} ms of each other", skew <= SKEW_MS, f"{skew} ms: {told}")
    clocks = [each["clock"] for each in told.values()]
    checks.check("and find their clocks alike within the error that they state",
                 all(abs(each["offset_ms"]) <= each["error_ms"] for each in clocks), str(clocks))
    checks.row("error of the clocks' comparison, ms, largest",
               max(each["error_ms"] for each in clocks), "")
    checks.check("ranks are 0 to 2", {each["rank"] for each in told.values()} == {0, 1, 2},
                 str(told))


def die_and_return(checks, cluster, name):
    killed = cluster.kill(name)
    checks.check(f"{name} dies with all that runs on it", killed > 3, f"{killed} processes")
    down = cluster.wait_state("down", 45, [name])
    checks.check("Slurm says that it is down", down is not None, cluster.state(name))
    cluster.boot(name, again=True)


def check_death(checks, night, code, dead):
    said = night.said()
    checks.check("the night fails: exit 1", code == 1, f"exit {code}: {said}")
    reasons = night.verdict(dead).get("reasons", [])
    checks.check(f"{dead} closed its run as one whose node died",
                 bool(reasons) and reasons[0].startswith("node_died"), f"{reasons} {said}")
    kept = [file for file in ("events.jsonl", "env.json", "plan.toml", "series/loads.csv")
            if os.path.exists(f"{night.results}/{dead}/{file}")]
    checks.check("what it had recorded is kept", len(kept) == 4, str(kept))
    for name in NAMES:
        if name != dead:
            verdict = night.verdict(name)
            checks.check(f"{name} went on and passed", verdict.get("verdict") == "pass" and
                         verdict.get("node") == name, str(verdict.get("reasons")) + said)
    reasons = (read_json(night.results + "/merged/verdict.json") or {}).get("reasons", [])
    checks.check("the merged verdict says node_died, and of which node",
                 any(each.startswith(f"{dead}: node_died") for each in reasons),
                 f"{reasons} {said}")
    checks.check("JUnit for the pipeline", "<testsuite" in read_text(night.results + "/junit.xml"),
                 str(os.listdir(night.results)) if os.path.isdir(night.results) else "")


def one_job_each(checks, space, cluster, target):
    night = Night(space, cluster, target, "ranges", 20, "--time", "6", "--give-up-after", "110",
                  "--gres", "stallrig:1", "--", "--quiet")
    told = night.wait_started(cluster, 40)
    check_start(checks, told, night.said())
    time.sleep(6)
    die_and_return(checks, cluster, "n2")
    code = night.end(110)
    seconds = time.monotonic() - night.began
    check_death(checks, night, code, "n2")
    checks.check("the job that came back did not wait out Slurm's two minutes",
                 seconds < NIGHT_S, f"{seconds:.0f} s")
    checks.row("night of 20 s with a death, s", round(seconds, 1), f"{NIGHT_S}")
    checks.all("nothing is left on the target",
               [name for name in os.listdir(target) if name.startswith(".stallproof")])


def together(checks, space, cluster, target):
    night = Night(space, cluster, target, "same-file", 12, "--together", "--time", "6",
                  "--give-up-after", "150", "--", "--quiet")
    check_start(checks, night.wait_started(cluster, 40), night.said())
    time.sleep(3)
    die_and_return(checks, cluster, "n3")
    code = night.end(200)
    logs = "".join(read_text(log) for log in glob.glob(night.results + "/stallproof-fleet.*.log"))
    checks.row("exit code of srun when a node died", logs[-20:].strip(), "")
    check_death(checks, night, code, "n3")


def time_limit(checks, space, cluster, target):
    night = Night(space, cluster, target, "own-files", 600, "--time", "3", "--give-up-after",
                  "400", "--", "--quiet")
    code = night.end(420)
    verdicts = [night.verdict(name) for name in NAMES]
    checks.check("a night that its time limit ends is unknown: exit 3, results kept",
                 code == 3 and all("interrupted" in each.get("reasons", []) for each in verdicts),
                 f"exit {code}: {[each.get('reasons') for each in verdicts]} {night.said()}")


def blocked_step(checks, space, cluster, folder):
    """A task that writes to a frozen file system outlives SIGKILL: evidence, and a drained node."""
    base = space.new("frozen")
    os.makedirs(base + "/mnt")
    script = (f"truncate -s 64M {base}/disk && mkfs.ext4 -q {base}/disk && "
              f"mount -o loop {base}/disk {base}/mnt && fsfreeze -f {base}/mnt")
    made = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return checks.skip("a task that cannot be killed", made.stderr.strip()[-200:])
    thaw = ["sh", "-c", f"fsfreeze -u {base}/mnt; umount {base}/mnt"]
    checks.at_end(lambda: subprocess.run(thaw, capture_output=True, check=False))
    job = cluster.ask("sbatch", "--parsable", "--nodelist=n1", f"--output={base}/log",
                      f"--wrap=exec dd if=/dev/zero of={base}/mnt/file count=1")
    time.sleep(3)
    cluster.ask("scancel", job)
    drained = cluster.wait_state("drain", 60, ["n1"])
    checks.check("a task that cannot be killed drains the node", drained is not None,
                 cluster.state("n1") + cluster.tail("n1.log"))
    captures = glob.glob(f"{folder}/n1/local/captures/unkillable-*")
    checks.check("and what it waits for was captured while it stood",
                 any("fs_frozen" in read_text(path) for path in captures if path.endswith(".txt")),
                 str(captures))
    subprocess.run(thaw, capture_output=True, timeout=20, check=False)
    return None


def without_slurm(checks, space):
    folder = space.new("path")
    os.makedirs(folder)
    for name in ("bash", "dirname", "cat"):
        os.symlink(f"/bin/{name}", f"{folder}/{name}")
    done = subprocess.run([f"{GLUE}/submit", "--plan", "/dev/null"], env={"PATH": folder},
                          capture_output=True, text=True, timeout=20, check=False)
    checks.check("without Slurm: exit 2, and where to read on",
                 done.returncode == 2 and "no client of Slurm" in done.stderr and
                 "Without Slurm" in done.stderr, f"exit {done.returncode}: {done.stderr}")


def refused_words(checks, cluster, space):
    results = space.new("refused")
    os.makedirs(results)
    good = ["--plan", "/etc/hostname", "--nodes", "n1", "--results", results, "--time", "5"]
    for words, what in (([*good, "--nights", "3"], "--nights"), (good[2:], "--plan"),
                        ([*good, "--nodes", "n1,n1"], "n1 is named twice"),
                        ([*good, "--time", "soon"], "--time 'soon'"),
                        ([*good, "--results", "/nowhere"], "/nowhere")):
        process = cluster.submit(*words, log=results + ".log")
        code = process.wait(timeout=20)
        said = read_text(results + ".log")
        checks.check(f"submit refuses {what}: exit 2", code == 2 and what in said,
                     f"exit {code}: {said}")
    checks.all("and leaves nothing", os.listdir(results))


def shared_target(checks, space):
    """A file system of its own that every node sees: results are refused on the one under test."""
    target = space.new("target")
    os.makedirs(target)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", target], check=True)
    checks.at_end(lambda: subprocess.run(["umount", target], capture_output=True, check=False))
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all of it, about ten minutes")
    options = parser.parse_args()
    with Checks("slurm_lab", 1500 if options.full else 240) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        without_slurm(checks, space)
        if reason := lacking_programs():
            checks.skip("a night on Slurm", reason)
            return checks.code
        target = shared_target(checks, space)
        cluster = Cluster(space.new("slurm"), NAMES)
        os.makedirs(cluster.base)
        os.chmod(space.path, 0o755)
        checks.at_end(cluster.stop)
        cluster.start()
        up = cluster.wait_state("idle", 30)
        if not checks.check("three nodes are idle", up is not None,
                            f"{[cluster.state(each) for each in NAMES]} "
                            f"{cluster.tail('ctl.log')}"):
            return checks.code
        refused_words(checks, cluster, space)
        one_job_each(checks, space, cluster, target)
        if options.full:
            together(checks, space, cluster, target)
            time_limit(checks, space, cluster, target)
            blocked_step(checks, space, cluster, cluster.base)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
