# SPDX-License-Identifier: Apache-2.0
"""`stallproof watch` on load that is not ours: fio and a Java program that fall into the reported
stall, the same healthy, and what goes wrong around a command."""

import argparse
import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import foreign
import program
import watch_ends
from checks import Checks
from machine import clean_machine, look
from program import Started, Workspace, run
from judge import median
from watch_ends import work_seen, write

ARM_AFTER_S = 3.5
LIMIT_MS = 300
# Not Java with read-error: tried, no circle closed within 20 s, so there is nothing to catch.
BEHAVIOURS = {"fio": ("invalidate", "read-error"), "java": ("invalidate",)}
HEALTHY_S = 8


def command_of(kind, mount, seconds, classes):
    if kind == "fio":
        return foreign.fio_command(mount, seconds)
    return foreign.java_command(mount, seconds, classes)


def problems_of_stall(ended, doc):
    stalls = doc.get("stalls", [])
    if ended.code != 1 or doc.get("verdict") != "fail" or len(stalls) != 1:
        return [f"{ended.describe()}: verdict {doc.get('verdict')}, {len(stalls)} stalls, "
                f"reasons {doc.get('reasons')}"]
    stall, found = stalls[0], []
    if stall["class"] != "mmap_lock_cycle":
        found.append(f"class {stall['class']}")
    delay = stall["detected_ms"] - stall["onset_ms"]
    limit = doc["thresholds"]["stall_after_ms"] + LIMIT_MS
    if not 0 < delay <= limit:
        found.append(f"detected {delay:.0f} ms after onset (limit {limit:.0f})")
    return found + problems_of_evidence(ended, doc, stall)


def problems_of_evidence(ended, doc, stall):
    incident = ended.incident(stall["id"])
    explanation = incident.get("explanation.json")
    if explanation is None:
        return ["no explanation.json"]
    nodes = {node["id"]: node for node in explanation["nodes"]}
    holder = nodes.get(explanation["root"]["holder"], {})
    members = {int(name.rsplit("-", 1)[1]) for name in doc["workloads"]
               if name.rsplit("-", 1)[-1].isdigit()}
    found = []
    if holder.get("tgid") not in members:
        found.append(f"holder {holder.get('tid')} is no thread of the command")
    if not explanation["cycle"]:
        found.append("no cycle")
    if not doc["left_behind"]:
        found.append("the stuck command is not named in left_behind")
    return found


def stall_runs(checks, workspace, kind, behaviour, runs, classes):
    delays = []
    for number in range(runs):
        before = look()
        with foreign.FfsTarget() as target:
            started = Started(["watch", "--give-up-after", "1s"], workspace,
                              after=["--", *command_of(kind, target.mount, 60, classes)])
            time.sleep(ARM_AFTER_S)
            target.arm(behaviour)
            ended = started.ended(20)
            target.heal()
            end_members(ended)
        doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
        name = f"{kind} falls into {behaviour}, run {number + 1}"
        checks.all(name, problems_of_stall(ended, doc))
        if doc.get("stalls"):
            stall = doc["stalls"][0]
            delays.append(stall["detected_ms"] - stall["onset_ms"]
                          - doc["thresholds"]["stall_after_ms"])
        checks.all(f"{name}: machine as before", clean_machine(before, ended, started.session))
    if delays:
        checks.row(f"watch {kind}, {behaviour}: detected after onset + stall-after, median/max ms",
                   f"{median(delays):.1f} / {max(delays):.1f}", f"<= {LIMIT_MS} ms")


def end_members(ended):
    """Kills, by pid, what the watch said it left running."""
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    for thing in doc.get("left_behind", []):
        words = thing.split()
        if words[:1] == ["process"]:
            try:
                os.kill(int(words[1]), signal.SIGKILL)
            except (OSError, ValueError):
                pass


def healthy_runs(checks, workspace, kind, runs, classes):
    for number in range(runs):
        with foreign.FfsTarget() as target:
            ended = run(["watch"], workspace, seconds=HEALTHY_S + 30,
                        after=["--", *command_of(kind, target.mount, HEALTHY_S, classes)])
        doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
        good = (ended.code == 0 and doc.get("verdict") == "pass" and not doc.get("stalls")
                and not doc.get("suspected"))
        checks.check(f"healthy {kind} is quiet, run {number + 1}", good,
                     f"{ended.describe()}; {doc.get('verdict')} {doc.get('reasons')} "
                     f"{doc.get('stalls')} {doc.get('suspected')}")


# What the command does: (words, exit code, in stderr).
COMMANDS = (
    (["/nonexistent/vdbench"], 127, "not found"),
    (["/etc/passwd"], 126, "not executable"),
    (["sh", "-c", "exit 5"], 5, "ended with 5"),
    (["sh", "-c", "kill -9 $$"], 137, "ended with 137"),
    (["sh", "-c", "cat /etc/passwd > /dev/null"], 0, "no stall"),
)


def commands(checks, workspace):
    for words, code, text in COMMANDS:
        ended = run(["watch"], workspace, seconds=20, after=["--", *words])
        checks.check(f"watch -- {' '.join(words)}: {code}",
                     ended.code == code and text in ended.err + ended.out, ended.describe())
    ended = run(["watch"], workspace, seconds=20,
                after=["--", "sh", "-c", "(setsid sleep 2 &) ; cat /etc/hosts"])
    checks.check("a command that forks away is watched until its descendants have ended",
                 ended.code == 0 and 1.8 < ended.seconds < 6, ended.describe())
    ended = run(["watch", "--json"], workspace, seconds=20,
                after=["--", "sh", "-c", "echo noise; cat /etc/hosts"])
    checks.check("--json keeps the command's output off stdout",
                 ended.doc is not None and "noise" in ended.err, ended.out[:200])


# Writes what vdbench writes, a row a second, and nothing for three seconds in between.
VDBENCH = """
import sys, time
with open(sys.argv[1] + '/flatfile.html', 'w') as out:
    out.write('tod timestamp Run Interval reqrate rate MB/sec bytes/io read% resp\\n')
    for second in range(1, 9):
        time.sleep(1)
        if second in (4, 5, 6):
            continue
        out.write(time.strftime('%H:%M:%S.000 x rd1 ') + f'{second} 500 500 2.0 4096 70 1.5\\n')
        out.flush()
        open('/etc/hosts').read()
"""


def vdbench_rows(checks, workspace):
    folder = tempfile.mkdtemp(prefix="stallproof-vdbench-", dir="/run")
    ended = run(["watch", "--vdbench-output", folder], workspace, seconds=30,
                after=["--", sys.executable, "-c", VDBENCH, folder])
    shutil.rmtree(folder, ignore_errors=True)
    rows = program.read_text(os.path.join(ended.run_dir, "series/vdbench.csv")).splitlines()[1:]
    missing = [row.split(",")[1] for row in rows if row.endswith(",1")]
    shown = run(["show", ended.run_dir], workspace, no_out=True)
    checks.check("vdbench's rows and its missing rows are on the time line",
                 missing == ["4", "5", "6"] and len(rows) == 8
                 and "interval 5 MISSING" in shown.out, f"{ended.describe()} {rows}")


def panic_is_said(checks, workspace):
    """Nothing stalls here, and the kernel waits two minutes: the sysctl harms nobody."""
    sysctl = "/proc/sys/kernel/hung_task_panic"
    if not os.access(sysctl, os.W_OK):
        checks.skip("kernel.hung_task_panic", "no hung-task detector in this kernel")
        return
    before = program.read_text(sysctl)
    try:
        write(sysctl, "1")
        ended = run(["watch"], workspace, seconds=20, after=["--", "cat", "/etc/hosts"])
    finally:
        write(sysctl, before)
    checks.check("kernel.hung_task_panic is said before anything is watched",
                 ended.code == 0 and "hung_task_panic" in ended.err.splitlines()[0],
                 ended.describe())


def targets(checks, workspace):
    gone = subprocess.Popen(["true"])
    gone.wait()
    for words, text in ((["--pid", str(gone.pid)], "no such process"),
                        (["--mount", "/nonexistent"], "not a mount point"),
                        (["--cgroup", "/nonexistent"], "not a cgroup"),
                        ([], "name one target"), (["--pid", "1", "--mount", "/"], "one target")):
        ended = run(["watch", *words], workspace, seconds=10)
        checks.check(f"watch {' '.join(words)} is refused in one line",
                     ended.code == 2 and text in ended.err and ended.err.count("\n") == 1,
                     ended.describe())
    reader = "import time\nwhile True:\n open('/etc/hosts').read(); time.sleep(0.01)"
    watch_ends.all_of_them(checks, workspace, reader)
    of_mount_and_cgroup(checks, workspace)
    stranger(checks, workspace)
    namespaces(checks, workspace, reader)
    strange_name(checks, workspace)
    interrupted(checks, workspace)


def of_mount_and_cgroup(checks, workspace):
    with foreign.FfsTarget() as target:
        reader = ("import time\n"
                  f"f = open('{target.mount}/data', 'rb', 0)\n"
                  "while True:\n f.seek(0); f.read(4096); time.sleep(0.002)")
        process = subprocess.Popen([sys.executable, "-c", reader])
        time.sleep(0.7)
        ended = run(["watch", "--mount", target.mount, "--duration", "2s"], workspace, seconds=20)
        checks.check("--mount watches who has a file of it open",
                     ended.code == 0 and work_seen(ended) > 100, ended.describe())
        with own_cgroup(process.pid) as path:
            if path is None:
                checks.skip("--cgroup", "no writable cgroup hierarchy")
            else:
                ended = run(["watch", "--cgroup", path, "--duration", "2s"], workspace, seconds=20)
                checks.check("--cgroup watches its members",
                             ended.code == 0 and work_seen(ended) > 100, ended.describe())
        process.kill()
        process.wait(10)


@contextlib.contextmanager
def own_cgroup(pid):
    """A cgroup with this process in it, v2 or any v1 hierarchy; its path, or None."""
    folders = ["/sys/fs/cgroup"] + sorted(glob.glob("/sys/fs/cgroup/*"))
    folders = [each for each in folders if os.access(os.path.join(each, "cgroup.procs"), os.W_OK)]
    if not folders:
        yield None
        return
    path = os.path.join(folders[0], f"stallproof-measure-{os.getpid()}")
    home = folders[0]
    os.mkdir(path)
    try:
        write(os.path.join(path, "cgroup.procs"), str(pid))
        yield path
    finally:
        write(os.path.join(home, "cgroup.procs"), str(pid))
        os.rmdir(path)


def wide_process(checks, workspace):
    many = subprocess.Popen([os.path.join(foreign.BUILD, "ci/many_threads"), "30000"],
                            stdout=subprocess.PIPE, text=True)
    try:
        made = int(many.stdout.readline())
        for words in (["watch", "--duration", "3s"], ["capture"]):
            ended = run([*words, "--pid", str(many.pid)], workspace, seconds=20)
            checks.check(f"{words[0]} of a process of {made} threads",
                         ended.code == 0 and ended.seconds < 6, ended.describe())
    finally:
        many.kill()
        many.wait(20)
        many.stdout.close()


def stranger(checks, workspace):
    """Not root: neither BPF nor stacks nor the kernel log. It must say so and never be green."""
    place = tempfile.mkdtemp(prefix="stallproof-stranger-", dir="/tmp")
    os.chown(place, 65534, 65534)
    ended = run(["watch"], workspace, seconds=20, run_dir=place + "/run", user=65534,
                extra_groups=[], after=["--", "sh", "-c", "cat /etc/hosts; sleep 1"])
    checks.check("who may see nothing gets an unknown verdict that says what is not seen",
                 ended.code == 3 and "BPF" in ended.err, ended.describe())
    shutil.rmtree(place, ignore_errors=True)


def namespaces(checks, workspace, reader):
    ended = run(["watch", "--duration", "3s"], workspace, seconds=20,
                after=["--", "unshare", "-pmf", "--mount-proc", sys.executable, "-c", reader])
    end_members(ended)
    doc = program.read_json(os.path.join(ended.run_dir, "verdict.json")) or {}
    ops = [load["ops"] for load in doc.get("workloads", {}).values()]
    checks.check("load in another pid and mount namespace is seen", sum(ops) > 50,
                 f"{ended.describe()} {ops}")


def strange_name(checks, workspace):
    name = "a) b\n(c"
    code = ("import ctypes,time\n"
            f"ctypes.CDLL(None).prctl(15, {name.encode()!r}, 0, 0, 0)\n"
            "for i in range(150):\n open('/etc/hosts').read(); time.sleep(0.01)")
    ended = run(["watch", "--json"], workspace, seconds=20,
                after=["--", sys.executable, "-c", code])
    names = list((ended.doc or {}).get("workloads", {}))
    checks.check("a name with newline and brackets is kept", any(name in each for each in names),
                 f"{ended.describe()} {names}")


def interrupted(checks, workspace):
    with tempfile.NamedTemporaryFile() as mark:
        code = f"trap 'echo got > {mark.name}; exit 0' INT; while :; do sleep 0.1; done"
        started = Started(["watch"], workspace, after=["--", "sh", "-c", code])
        time.sleep(1.5)
        started.signal(signal.SIGINT)
        ended = started.ended(10)
        told = mark.read()
    checks.check("an interrupt reaches the command and makes the verdict unknown",
                 ended.code == 3 and told.strip() == b"got", f"{ended.describe()} {told!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--short", action="store_true",
                        help="one stall of each program, healthy fio alone, no 30000 threads")
    parser.add_argument("--deadline", type=int, default=0)
    options = parser.parse_args()
    deadline = options.deadline or 200 + 90 * options.runs
    with Checks("watch", deadline) as checks:
        workspace = Workspace()
        checks.at_end(workspace.remove)
        folder = tempfile.TemporaryDirectory(prefix="stallproof-java-", dir="/run")
        checks.at_end(folder.cleanup)
        classes = foreign.compile_java(folder.name)
        for kind in ("fio", "java"):
            for behaviour in BEHAVIOURS[kind][:1] if options.short else BEHAVIOURS[kind]:
                stall_runs(checks, workspace, kind, behaviour, options.runs, classes)
            if kind == "fio" or not options.short:
                healthy_runs(checks, workspace, kind, options.runs, classes)
        commands(checks, workspace)
        vdbench_rows(checks, workspace)
        panic_is_said(checks, workspace)
        targets(checks, workspace)
        if not options.short:
            wide_process(checks, workspace)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
