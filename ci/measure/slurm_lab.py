#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A fleet's night on a real Slurm of three nodes on this machine: one plan starts on all in the
same second, each on its own part of the same files; a node that dies in mid-run comes back to its
own job, closes its run and is counted; the night fails, and its evidence is kept. --full also: all
nodes in one job, a time limit, a task that cannot be killed."""

import argparse
import contextlib
import glob
import json
import os
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from own_mounts import LoopFs  # noqa: E402
from program import Workspace, read_json, read_text  # noqa: E402
from prometheus import free_ports  # noqa: E402
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


def blocked_step(checks, space, cluster, disk):
    """A task that writes to a frozen file system outlives SIGKILL: evidence, and a drained node."""
    log = space.new("blocked")
    disk.freeze()
    job = cluster.ask("sbatch", "--parsable", "--nodelist=n1", f"--output={log}",
                      f"--wrap=exec dd if=/dev/zero of={disk.path}/file count=1")
    time.sleep(3)
    cluster.ask("scancel", job)
    drained = cluster.wait_state("drain", 60, ["n1"])
    checks.check("a task that cannot be killed drains the node", drained is not None,
                 cluster.state("n1") + cluster.tail("n1.log") + read_text(log))
    told, deadline = "", time.monotonic() + 30
    while "fs_frozen" not in told and time.monotonic() < deadline:
        time.sleep(0.5)
        told = "".join(read_text(path) for path in
                       glob.glob(f"{cluster.base}/n1/local/captures/unkillable-*.txt"))
    checks.check("and what it waits for was captured while it stood", "fs_frozen" in told,
                 f"{told[:300]} {cluster.tail('n1.log')}")
    disk.thaw()


class Alone:
    """The job script of a node, without Slurm around it."""

    def __init__(self, space, cluster, target, **variables):
        self.base = space.new("alone")
        for name in ("results", "targets", "state"):
            os.makedirs(f"{self.base}/{name}")
        with open(self.base + "/plan.toml", "w", encoding="utf-8") as stream:
            stream.write(PLAN.split("[coordinate]")[0].format(seconds=2, target=target) +
                         "[[process]]" + PLAN.split("[[process]]")[1])
        self.environment = {
            **cluster.environment, "SLURMD_NODENAME": "n9", "STALLPROOF_JOB": "night",
            "STALLPROOF_RESULTS": self.base + "/results", "STALLPROOF_NODES": "n9",
            "STALLPROOF_PLAN": self.base + "/plan.toml",
            "STALLPROOF_STATE_DIR": self.base + "/state", **variables}

    def start(self, script):
        # The journals of the nodes' runs are not this one's to tidy.
        own_run = 'mount -t tmpfs tmpfs /run/stallproof && exec "$0"'
        with open(self.log(script), "wb") as log:
            return subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                                     own_run, f"{GLUE}/{script}"], env=self.environment,
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self, script):
        return f"{self.base}/results/stallproof-{script}.1.log"

    def said(self):
        return " | ".join(read_text(self.log(script)) for script in ("node", "merge"))


def a_node_is_scraped(checks, space, cluster, target):
    """Listed for Prometheus and scraped while it runs; its results move, its disk does not fill."""
    port = free_ports(1)[0]
    alone = Alone(space, cluster, target, STALLPROOF_LISTEN=str(port))
    alone.environment["STALLPROOF_TARGETS"] = alone.base + "/targets"
    listed, metrics, process = "", "", alone.start("node")
    over = alone.base + "/state/runs/night/verdict.json"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not ("stallproof_" in metrics and os.path.exists(over)):
        listed = listed or read_text(alone.base + "/targets/night.n9.json")
        with contextlib.suppress(OSError):
            metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics",
                                             timeout=2).read().decode()
        time.sleep(0.2)
    process.terminate()  # it would be scraped for a minute more
    code = process.wait(timeout=30)
    checks.check("a node is listed for Prometheus, and can be scraped",
                 listed and json.loads(listed) == [
                     {"targets": [f"n9:{port}"], "labels": {"night": "night", "slurm_job": ""}}] and
                 "stallproof_" in metrics, f"{listed} {metrics[:80]} {alone.said()}")
    checks.check("its results move to the shared place, and it is listed no more",
                 code == 0 and os.listdir(alone.base + "/results/n9") and
                 not os.listdir(alone.base + "/state/runs") and
                 not os.listdir(alone.base + "/targets"),
                 f"exit {code}: {os.listdir(alone.base + '/state')} {alone.said()}")


def a_lost_disk(checks, space, cluster, target):
    """A node whose disk does not survive its crash has died; it does not run the night again."""
    alone = Alone(space, cluster, target)
    with open(alone.base + "/results/.began-n9", "w", encoding="ascii") as stream:
        stream.write("of an earlier boot\n")
    codes = [alone.start(script).wait(timeout=30) for script in ("node", "merge")]
    checks.check("a node that has booted since and has no run left has died: exit 1, nothing run",
                 codes == [1, 1] and not os.listdir(alone.base + "/state") and
                 alone.said().count("node_died") >= 2, f"{codes} {alone.said()}")


def a_wrong_plan(checks, space, cluster, target):
    alone = Alone(space, cluster, target)
    with open(alone.base + "/plan.toml", "a", encoding="utf-8") as stream:
        stream.write("velocity = 9\n")
    codes = [alone.start(script).wait(timeout=30) for script in ("node", "merge")]
    checks.check("of a node that refused its plan the merge job tells why: exit 3",
                 codes == [2, 3] and "unknown" in read_text(alone.log("merge")) and
                 "'velocity'" in read_text(alone.log("merge")), f"{codes} {alone.said()}")


def a_refused_node(checks, cluster):
    """A sick node is drained with the reason; its job waits, and runs when the node is well."""
    cluster.hooks_find("STALLPROOF_FREE_MIB=99999999")
    job = cluster.ask("sbatch", "--parsable", "--nodelist=n3", "--output=/dev/null", "--wrap=true")
    drained = cluster.wait_state("drain", 30, ["n3"])
    why = cluster.ask("sinfo", "--noheader", "--nodes=n3", "--format=%E")
    cluster.hooks_find(None)
    checks.check("the prolog drains a node without space, and Slurm tells why",
                 drained is not None and "MiB free" in why, f"{cluster.state('n3')}: {why}")
    cluster.ask("scontrol", "update", "nodename=n3", "state=resume")
    deadline, state = time.monotonic() + 30, ""
    while time.monotonic() < deadline and state not in ("COMPLETED", "FAILED"):
        # Not held, but for two minutes nobody looks at it.
        if state == "PENDING":
            cluster.ask("scontrol", "update", f"jobid={job}", "StartTime=now")
        state = cluster.ask("squeue", "--noheader", f"--jobs={job}", "--states=all", "--format=%T")
        time.sleep(0.5)
    checks.check("its job was not held, and runs once the node is well", state == "COMPLETED",
                 cluster.ask("scontrol", "show", "job", job)[:600])


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
        disk = LoopFs("ext4") if options.full else None  # before the nodes: theirs, too
        if disk:
            checks.at_end(disk.remove)
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
        a_refused_node(checks, cluster)
        a_lost_disk(checks, space, cluster, target)
        a_wrong_plan(checks, space, cluster, target)
        a_node_is_scraped(checks, space, cluster, target)
        one_job_each(checks, space, cluster, target)
        if options.full:
            together(checks, space, cluster, target)
            time_limit(checks, space, cluster, target)
            blocked_step(checks, space, cluster, disk)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
