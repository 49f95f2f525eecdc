#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each process of real runs keeps of root's rights, thread by thread, is what the table of
SECURITY.md says, and runs do what they did. --short leaves out vdbench and the run without BPF."""

import argparse
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look, processes  # noqa: E402
from own_mounts import Tmpfs  # noqa: E402
from privileges_table import differences, fields_of, rights_by_name  # noqa: E402
from program import BINARY, TOP, Started, Workspace, read_text  # noqa: E402

SETTLES_WITHIN = 20
COMMANDS = ("show", "report", "judge", "gate", "merge", "mark", "history", "list", "help")
WITHOUT_BPF = os.path.join(TOP, "ci/measure/without_bpf.py")
PARAMETERS = {
    "io": "sd=sd1,lun={dir}/lun,size=16m\nwd=wd1,sd=sd1,xfersize=4k,rdpct=50\n"
          "rd=rd1,wd=wd1,iorate=200,elapsed=8,interval=1\n",
    "files": "create_anchors=yes\nfsd=fsd1,anchor={dir}/tree,depth=1,width=2,files=8,size=16k\n"
             "fwd=fwd1,fsd=fsd1,operation=read,threads=2\n"
             "rd=rd1,fwd=fwd1,fwdrate=100,format=yes,elapsed=8,interval=1\n"}


def threads(pid):
    """{tid: text of its status}; what ends meanwhile is left out."""
    found = {}
    try:
        tids = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for tid in tids:
        text = read_text(f"/proc/{pid}/task/{tid}/status")
        if "CapEff" in text:
            found[tid] = text
    return found


def role_of(pid):
    words = read_text(f"/proc/{pid}/cmdline").split("\0")
    return words[2] if words[1:2] == ["child"] and len(words) > 2 else None


def members(session):
    """{role: [texts of status of its threads]} of a run; civetweb and sp-probe by their names."""
    found = {}
    for pid, (_, owner) in processes().items():
        if owner != session:
            continue
        role = role_of(pid) or "controller"
        for text in threads(pid).values():
            name = fields_of(text)["Name"]
            if name == "sp-probe":
                role = "sp-probe"
            own = "civetweb" if name.startswith("civetweb") else role
            found.setdefault(own, []).append(text)
    return found


def compare(checks, what, started, wanted, table):
    """Every role of `wanted` is there, and all its threads are as the table says; what has just
    been started is waited for."""
    ours = int(fields_of(read_text("/proc/self/status"))["CapEff"], 16)
    deadline = time.monotonic() + SETTLES_WITHIN
    while True:
        there = members(started.session)
        problems = [f"no {role}" for role in wanted if role not in there]
        problems += sorted({f"{role}: {each}" for role in wanted for text in there.get(role, [])
                            for each in differences(text, table[role], ours)})
        if not problems or time.monotonic() > deadline or started.process.poll() is not None:
            break
        time.sleep(0.1)
    count = sum(len(there.get(role, [])) for role in wanted)
    checks.check(f"{what}: {', '.join(wanted)}: {count} threads as in SECURITY.md", not problems,
                 "; ".join(problems[:4]))


def case(checks, space, table, what, words, wanted, code=0, **options):
    before = look()
    started = Started(words, space, **options)
    compare(checks, what, started, wanted, table)
    ended = started.ended(60)
    checks.check(f"{what}: and it does what it did", ended.code == code, ended.describe())
    checks.all(f"{what}: nothing is left", clean_machine(before, ended, started.session))


def runs(checks, space, mount, table):
    case(checks, space, table, "run",
         ["run", "--target", mount.path, "--size", "64m", "--duration", "4s", "--listen", "0",
          "--notify", "/bin/true"],
         ["controller", "watchdog", "worker", "notifier", "civetweb"])
    case(checks, space, table, "repro on FUSE",
         ["repro", "mmap-lock-fault", "--param", "warmup=3s"],
         ["controller", "watchdog", "worker", "ffs"])
    case(checks, space, table, "repro with an injector",
         ["repro", "fs-frozen", "--param", "warmup=3s"],
         ["controller", "watchdog", "worker", "injector"])


def rare(checks, space, mount, table):
    for role, text in PARAMETERS.items():
        path = space.new(role) + ".parm"
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text.format(dir=mount.path))
        case(checks, space, table, f"vdbench, {role}", ["vdbench", "-f", path],
             ["controller", "watchdog", role])
    # Under the filter that refuses BPF nothing can gain anything, so NoNewPrivs is not compared for
    # those who give up nothing.
    before = look()
    started = Started(["repro", "fs-frozen", "--hold", "--deadline", "6s"], space,
                      prefix=[sys.executable, WITHOUT_BPF])
    compare_probe(checks, started, table)
    checks.all("without BPF: nothing is left",
               clean_machine(before, started.ended(60), started.session))


def compare_probe(checks, started, table):
    """The child that reads /proc is there while a stall is explained."""
    ours = int(fields_of(read_text("/proc/self/status"))["CapEff"], 16)
    deadline = time.monotonic() + SETTLES_WITHIN
    seen = []
    while not seen and time.monotonic() < deadline and started.process.poll() is None:
        seen = [fields_of(text) for text in members(started.session).get("sp-probe", [])]
        time.sleep(0.02)
    wanted = table["sp-probe"]
    problems = [] if seen else ["no sp-probe"]
    for fields in seen:
        fields["Seccomp"] = "0"  # the filter is the one it was started under
        text = "\n".join(f"{key}:\t{value}" for key, value in fields.items())
        problems += differences(text, wanted, ours)
    checks.all("without BPF: sp-probe as in SECURITY.md", problems)


def explain_waits_for_input(checks, table):
    """A command on files, looked at while it reads."""
    ours = int(fields_of(read_text("/proc/self/status"))["CapEff"], 16)
    with subprocess.Popen([BINARY, "explain", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 5
        problems = ["it ended"]
        while problems and time.monotonic() < deadline:
            time.sleep(0.02)
            problems = [each for text in threads(child.pid).values()
                        for each in differences(text, table["explain"], ours)]
        child.stdin.close()
        child.wait(timeout=10)
    checks.all("explain of files: as in SECURITY.md", problems)


def commands_on_files(checks, space, table):
    """The others end too soon to be looked at: strace tells that they gave up, and when."""
    if shutil.which("strace") is None:
        checks.check("strace is installed", False, "apt-get install strace")
        return
    for command in COMMANDS:
        words = {"list": ["list", "detectors"], "help": ["help", "exit-codes"],
                 "history": ["history", "list"],
                 "mark": ["mark", "/nonexistent", "text"],
                 "merge": ["merge", "--expect-nodes", "n1", "-o", space.new("merged"),
                           "/nonexistent"]}.get(command, [command, "/nonexistent"])
        trace = space.new(command) + ".trace"
        subprocess.run(["strace", "-f", "-e", "trace=capset,prctl,openat", "-o", trace, BINARY,
                        *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30,
                       check=False)
        lines = read_text(trace).splitlines()
        filters = [line for line in lines if "PR_SET_SECCOMP" in line and line.endswith("= 0")]
        dropped = [line for line in lines if "capset(" in line and line.endswith("= 0")]
        checks.check(f"{command}: gives up before it reads anything",
                     len(filters) == 1 and len(dropped) == 1
                     and table[command].seccomp
                     and not any("/nonexistent" in line
                                 for line in lines[: lines.index(filters[0])]),
                     f"{len(filters)} filters, {len(dropped)} capset")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    with Checks("privileges", 300) as checks:
        stop_if_lacking(checks)
        with open(os.path.join(TOP, "SECURITY.md"), encoding="utf-8") as stream:
            table = rights_by_name(stream.read())
        space, mount = Workspace(), Tmpfs()
        checks.at_end(space.remove)
        checks.at_end(mount.remove)
        explain_waits_for_input(checks, table)
        commands_on_files(checks, space, table)
        runs(checks, space, mount, table)
        if not options.short:
            rare(checks, space, mount, table)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
