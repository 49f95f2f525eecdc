#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands that only look: explain, list, doctor and help exit as promised, whatever their input
is and wherever their output goes, and say one line when something is wrong. A run is made again by
the command that its report names."""

import gzip
import json
import os
import stat
import subprocess
import sys
import threading
import tomllib

sys.dont_write_bytecode = True

from checks import Checks  # noqa: E402
from program import BINARY, TOP, Workspace  # noqa: E402

CRASH = os.path.join(TOP, "examples/seed-crash")
HOLDER = os.path.join(CRASH, "bt-holder.txt")
WRITER = os.path.join(CRASH, "bt-writer.txt")
FS = os.path.join(TOP, "harness/explain/fs/ffs.toml")
SNAPSHOT = {"schema": 1, "kernel": "6.1.0", "tasks": [], "locks": []}
HUNG = """[  243.1] INFO: task java:7 blocked for more than 120 seconds.
[  243.2] task:java            state:D stack:    0 pid:    7 ppid:     1 flags:0x00000000
[  243.3] Call Trace:
[  243.4]  <TASK>
[  243.5]  __schedule+0x34d/0x9e0
[  243.6]  schedule+0x5a/0xd0
[  243.7]  rwsem_down_write_slowpath+0x337/0x670
[  243.8]  vm_mmap_pgoff+0xd5/0x1a0
[  243.9]  </TASK>
"""


def call(words, out=subprocess.PIPE, state=None):
    """(exit code, stdout, lines on stderr) of one command."""
    place = {"STALLPROOF_STATE_DIR": state} if state else {}
    done = subprocess.run([BINARY, *words], stdin=subprocess.DEVNULL, stdout=out,
                          stderr=subprocess.PIPE, timeout=60, check=False,
                          env={**os.environ, **place})
    return done.returncode, done.stdout or b"", done.stderr.decode(errors="replace").splitlines()


def one_line(checks, name, words, code):
    got, out, err = call(words)
    checks.check(f"{name}: exit {code} and one line", got == code and len(err) == 1 and not out,
                 f"exit {got}, {len(err)} lines: {err[:2]}")


def outputs_that_do_not_arrive(checks):
    for words in (["explain", HOLDER], ["list", "scenarios"], ["list", "scenarios", "--json"],
                  ["doctor"], ["doctor", "--json"], ["help"]):
        with open("/dev/full", "wb") as full:
            code, _, err = call(words, full)
        name = " ".join(os.path.basename(word) for word in words)
        checks.check(f"{name} into a full disk: exit 3 and one line",
                     code == 3 and len(err) == 1, f"exit {code}: {err[:2]}")
        code, out, err = call(words)
        checks.check(f"{name} into a pipe: no such line",
                     code in (0, 77) and out and not any("standard output" in line for line in err),
                     f"exit {code}: {err[:2]}")


def inputs_without_crash_text(checks, space):
    for name, content in (("empty", b""), ("binary", bytes(range(256)) * 4096)):
        path = space.new(name)
        with open(path, "wb") as stream:
            stream.write(content)
        one_line(checks, f"explain FILE ({name})", ["explain", path], 3)
    one_line(checks, "explain /dev/null", ["explain", "/dev/null"], 3)
    one_line(checks, "explain of a directory without a run", ["explain", space.path], 2)


def options(checks):
    code, out, err = call(["explain", "--fs", FS, HOLDER])
    checks.check("explain --fs FILE leaves the next word alone", code == 0 and out,
                 f"exit {code}: {err[:2]}")
    one_line(checks, "doctor of a missing target", ["doctor", "--target", "/nonexist"], 2)
    one_line(checks, "a parameter beyond its limit",
             ["repro", "mmap-lock-fault", "--param", "direct-size=2MiB"], 2)


def refused_words(checks, space):
    """Words that name no command, say nothing, or would not stay on their line."""
    for words, named in ((["bogus"], "unknown command 'bogus'"),
                         (["--bogus"], "unknown option '--bogus'"),
                         (["history", "bogus"], "unknown command 'history bogus'")):
        refusal(checks, words, named)
    plan = space.new("plan.toml")
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write('schema = 1\nname = "x"\ntarget = "/tmp"\n[[process]]\nname = "p"\n'
                     '[[process.load]]\nworkload = "x\\ny\\u001b[31m"\n')
    for words, named in ((["explain", "no\nsuch"], "no?such"),
                         (["list", "x\ny\x1b[31m"], "'x?y?[31m'"),
                         (["run", plan, "--dry-run"], "x?y?[31m")):
        refusal(checks, words, named)


def refused_values(checks, space):
    """Nothing that is named is there: a value that is not refused starts no run all the same."""
    none = space.new("none")
    for words in (["postmortem", "--run"], ["gate", none, "--known"], ["gate", none, "--junit"],
                  ["gate", none, "--summary-md"], ["run", "--target", none, "--duration"],
                  ["run", "--target", none, "--size"], ["run", "--target"], ["doctor", "--target"],
                  ["judge", none, "--stall-after"], ["show", "--at"], ["report", "--out"],
                  ["repro", "no-such", "--fix"], ["repro", "no-such", "--variant"],
                  ["repro", "no-such", "--expect"], ["history", "list", "--signature"]):
        refusal(checks, [*words, ""], f"{words[-1]}: the value is empty")
    for words in (["--listen", "9464"], ["--linger", "1s"], ["--textfile", space.new("prom")],
                  ["--notify", "true"], ["--json-lines"]):
        refusal(checks, ["repro", "--from", none, *words], f"{words[0]} is for a scenario")


def refusal(checks, words, named):
    code, out, err = call(words)
    said = [each for each in err if named in each and "\x1b" not in each]
    checks.check(f"{words}: exit 2 and one line that names it",
                 code == 2 and len(err) == 1 and said and not out, f"exit {code}: {err[:2]}")


def quiet(checks):
    for words in (["explain", HOLDER], ["list", "detectors"], ["help"]):
        code, out, _ = call(words)
        got, told, err = call([*words, "--quiet"])
        checks.check(f"{os.path.basename(words[-1])} --quiet: the same result, no remark",
                     (got, told, err) == (code, out, []), f"exit {got}: {err[:2]}")


def written(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content if isinstance(content, bytes) else content.encode())
    return path


def run_with_incidents(space, *names):
    """A run directory: of each incident what was seen, and how it was explained."""
    place = space.new("run.d")
    for name in names:
        incident = os.path.join(place, "incidents", name)
        written(os.path.join(incident, "snapshot.json"), json.dumps(SNAPSHOT))
        written(os.path.join(incident, "explanation.json"),
                json.dumps({"class": name, "nodes": [], "edges": []}))
    return place


def several_explanations(checks, space):
    def explained(name, words, wanted, code=0):
        got, out, err = call(["explain", *words, "--json"])
        try:
            told = [each["class"] for each in json.loads(out)["explanations"]]
        except (ValueError, KeyError, TypeError) as error:
            told = f"{error!r} of {out[:80]}"
        checks.check(f"{name}: one JSON document", told == wanted and got == code,
                     f"exit {got}: {told} {err[:2]}")

    run = run_with_incidents(space, "001", "002")
    one, two = (os.path.join(run, "incidents", name) for name in ("001", "002"))
    snapshot, log = os.path.join(one, "snapshot.json"), written(space.new("log/dmesg"), HUNG)
    code, out, _ = call(["explain", one, "--json"])
    checks.check("explain of one incident is its explanation.json",
                 code == 0 and json.loads(out)["class"] == "001", out[:80])
    explained("explain of a run with two incidents", [run], ["001", "002"])
    kinds = [json.loads(call(["explain", each, "--json"])[1])["class"] for each in (snapshot, log)]
    explained("explain of a snapshot and a kernel log", [snapshot, log], kinds)
    explained("explain of a run by --fs", [run, "--fs", FS], kinds[:1] * 2)
    for name, words in (("two files", [snapshot, log]), ("a run by --fs", [run, "--fs", FS])):
        one_line(checks, f"explain of {name} as svg", ["explain", *words, "--format", "svg"], 2)
    os.remove(os.path.join(two, "snapshot.json"))
    code, out, err = call(["explain", run, "--fs", FS, "--json"])
    checks.check("an incident without a snapshot is named: exit 3", code == 3 and
                 json.loads(out)["class"] == kinds[0] and "002/snapshot.json" in err[0], err[:2])


def packed_and_by_flag(checks, space):
    plain = written(space.new("log/dmesg"), HUNG)
    for flag, path in (("--kmsg", plain), ("--crash-text", HOLDER)):
        with open(path, "rb") as stream:
            packed = written(space.new("log/packed.gz"), gzip.compress(stream.read()))
        wanted = call(["explain", flag, path])[:2]
        checks.check(f"explain {flag} FILE", wanted[0] == 0 and wanted[1], str(wanted))
        for words in ([flag, packed], [f"{flag}={path}"], [f"{flag}={packed}", "--format=text"]):
            got = call(["explain", *words])
            name = " ".join(words).replace(space.path, "").replace(CRASH, "")
            checks.check(f"explain {name}: the same", got[:2] == wanted,
                         f"exit {got[0]}: {got[2][:2]}")
    both = call(["explain", "--crash-text", HOLDER, WRITER])[:2]
    checks.check("explain --crash-text=FILE FILE",
                 call(["explain", f"--crash-text={HOLDER}", WRITER])[:2] == both)
    no_dump = call(["explain", "--vmcore", HOLDER])
    checks.check("explain --vmcore=FILE: the same refusal as --vmcore FILE",
                 call(["explain", f"--vmcore={HOLDER}"]) == no_dump, str(no_dump))


def results_through_links_and_pipes(checks, space):
    state = space.new("state")
    for name, words in (("explain", ["explain", HOLDER]),
                        ("history export", ["history", "export", "--csv"])):
        place = space.new("out")
        os.mkdir(place)
        wanted = call(words, state=state)[1]
        link, pipe = os.path.join(place, "link"), os.path.join(place, "pipe")
        os.symlink("real", link)
        code, _, err = call([*words, "-o", link], state=state)
        with open(os.path.join(place, "real"), "rb") as stream:
            checks.check(f"{name} -o LINK writes what it names, and the link stays",
                         code == 0 and os.path.islink(link) and stream.read() == wanted, err[:2])
        os.mkfifo(pipe)
        heard = []
        reader = threading.Thread(target=lambda: heard.append(read_bytes(pipe)), daemon=True)
        reader.start()
        code, _, err = call([*words, "-o", pipe], state=state)
        reader.join(10)
        checks.check(f"{name} -o PIPE is written to it, and it stays", code == 0 and
                     heard == [wanted] and stat.S_ISFIFO(os.lstat(pipe).st_mode), err[:2])
        one_line(checks, f"{name} -o DIRECTORY", [*words, "-o", place], 2)
    one_line(checks, "record --force -o DIRECTORY",
             ["record", "--force", "-o", state, "--pid", str(os.getpid())], 2)


def read_bytes(path):
    with open(path, "rb") as stream:
        return stream.read()


def dry_runs(checks, space):
    night = written(space.new("dry/night.toml"), f"""[nightly]
targets = ["{space.path}"]
[[process]]
[[process.load]]
workload = "direct-io"
""")
    parm = written(space.new("dry/a.parm"), "sd=s,lun=/nonexist,size=1m\nwd=w,sd=s\n"
                   "rd=r,wd=w,iorate=max,elapsed=4\n")
    target = ["--target", space.path]
    for name, words in (("a night", [night]), ("a directory", target), ("PARMFILE", [parm])):
        run = ["run", *words, "--dry-run"]
        code, out, err = call(run)
        checks.check(f"dry run of {name}: exit 0 and a plan", code == 0 and out, err[:2])
        quiet = call([*run, "--quiet"])[1]  # its seeds are others
        checks.check(f"dry run of {name} --quiet: the same",
                     quiet.splitlines()[:2] == out.splitlines()[:2], quiet[:80])
        for option in ("--json", "--json-lines"):
            one_line(checks, f"dry run of {name} {option}", [*run, option], 2)
        if words != [parm]:
            checks.check(f"dry run of {name}: TOML", "process" in tomllib.loads(out.decode()))


def wrong_plans(checks, space):
    """What a worker would refuse, --dry-run does, at its place in the file."""
    for line, said in (('io-size = "abc"', "io-size: 'abc' is not a size"),
                       ("io-size = 0", "io-size: 0 is not a multiple of 512"),
                       ("io-read-percent = nan", "io-read-percent: 'nan'"),
                       ("io-rate = -1", "io-rate: '-1' is not a whole number"),
                       ('io-order = "foo"', "one of: random, sequential")):
        path = space.new("plan.toml")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write('[[process]]\n[[process.load]]\nworkload = "direct-io"\n' + line + "\n")
        code, out, err = call(["run", path, "--target", space.path, "--dry-run"])
        column = line.index("=") + 3
        checks.check(f"run --dry-run of {line}: exit 2 and its place",
                     code == 2 and not out and len(err) == 1 and f"{path}:4:{column}: " in err[0]
                     and said in err[0], f"exit {code}: {err[:2]}")


def command_of_report(run_dir):
    code, out, err = call(["report", run_dir, "--json"])
    # 3: a part is missing, as the series of a watch that saw no load.
    return (json.loads(out) if code in (0, 3) else {}).get("rerun") or f"exit {code}: {err[:2]}"


def files_of_vdbench(checks, space):
    """Results beside the lun: `run` refuses, `vdbench` says it; the report says the command."""
    parameters, lun = space.new("a parm"), space.new("lun")
    with open(parameters, "w", encoding="utf-8") as stream:
        stream.write("sd=sd1,lun=$lun,size=1m\nwd=wd1,sd=sd1,xfersize=4k,rdpct=50\n"
                     "rd=rd1,wd=wd1,iorate=20,elapsed=60,interval=1\n")
    place = space.new("run")
    one_line(checks, "run PARMFILE with results on the file system of its lun",
             ["run", parameters, f"lun={lun}", "-o", place], 2)
    checks.check("and nothing is made", not os.path.exists(place) and not os.path.exists(lun), "")
    said = ["vdbench", "-f", parameters, "-e", "2", f"lun={lun}", "--canary", "no"]
    code, _, err = call([*said, "-o", place])
    checks.check("vdbench does it and says so in one line",
                 code == 0 and sum("can hold up the results" in line for line in err) == 1,
                 f"exit {code}: {err[:3]}")
    again = command_of_report(place)
    checks.check("the report says the command that makes the run again",
                 again == f"stallproof vdbench -f '{parameters}' lun={lun} -e 2 --canary no", again)
    path = f"{os.path.dirname(os.path.abspath(BINARY))}:{os.environ['PATH']}"
    done = subprocess.run(["sh", "-c", again], stdin=subprocess.DEVNULL, capture_output=True,
                          cwd=space.path, timeout=60, check=False,
                          env={**os.environ, "PATH": path})
    checks.check("which works", done.returncode == 0 and b"rd1" in done.stdout,
                 f"exit {done.returncode}: {done.stderr[-200:]}")


def documents_of_all(checks, space):
    """Whoever prints a result gives it as one document, too, and into a file."""
    target = space.new("target")
    os.mkdir(target)
    for kind in ("night", "plan"):
        made = space.new(kind + ".toml")
        words = ["--plan"] if kind == "plan" else []
        code, out, err = call(["init", "--target", target, "-o", made, "--json", *words])
        told = json.loads(out or b"{}")
        checks.check(f"init of a {kind} --json: one document",
                     code == 0 and told["kind"] == kind and told["file"] == made
                     and told["command"][-1] == made and os.path.exists(made), err[:2] or out[:80])
    script = json.loads(call(["explain", "--crash-script", "--json"])[1] or b"{}").get("script")
    checks.check("explain --crash-script --json: the script in one document",
                 script == call(["explain", "--crash-script"])[1].decode(), str(script)[:80])
    parameters = written(space.new("b.parm"), "sd=sd1,lun=$lun,size=1m\nwd=wd1,sd=sd1\n"
                         "rd=rd1,wd=wd1,iorate=20,elapsed=2,interval=1\n")
    words = ["vdbench", "-f", parameters, f"lun={space.new('lun')}", "--json"]
    one_line(checks, "vdbench -s --json", [*words, "-s"], 157)
    run = space.new("run")
    code, out, err = call([*words, "-o", run, "--canary", "no"])
    told = json.loads(out or b"{}")
    checks.check("vdbench --json: the verdict in one document",
                 code == 0 and told.get("verdict") == "pass" and told["exit_code"] == 0, err[:2])
    for command in (["show", run], ["judge", run], ["gate", run, "--no-canary"],
                    ["list", "scenarios"], ["history", "list"], ["postmortem", "--run", run]):
        results_into_a_file(checks, space, command)


def results_into_a_file(checks, space, command):
    printed, file = call([*command, "--json"]), space.new("result.json")
    code, out, err = call([*command, "--json", "-o", file])
    checks.check(f"{command[0]} -o: what is printed, in that file",
                 code == printed[0] and not out and read_bytes(file) == printed[1], err[:2])
    one_line(checks, f"{command[0]} -o into a directory", [*command, "-o", space.path], 2)


def report_of_a_watch(checks, space):
    place = space.new("watch")
    call(["watch", "--quiet", "-o", place, "--", "sh", "-c", "sleep 1; echo $0"])
    again = command_of_report(place)
    checks.check("the report of a watch names a watch",
                 again == f"cd {os.getcwd()} && stallproof watch --stall-after 1s --fail-after 30s "
                 "-- sh -c 'sleep 1; echo $0'", again)


def live(checks):
    if os.geteuid() != 0:
        checks.skip("explain --live", "not root")
        return
    code, out, err = call(["explain", "--live"])
    if err or b"Not seen" in out:
        checks.skip("explain --live with full sight", "this machine shows less")
    else:
        checks.check("explain --live with full sight: exit 0", code == 0, f"exit {code}")
    without = [sys.executable, os.path.join(os.path.dirname(__file__), "without_bpf.py"), BINARY]
    done = subprocess.run([*without, "explain", "--live"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False)
    checks.check("explain --live without BPF: exit 3, explained all the same",
                 done.returncode == 3 and done.stdout,
                 f"exit {done.returncode}: {done.stderr[:160]}")


def main():
    space = Workspace()
    with Checks("commands", 120) as checks:
        checks.at_end(space.remove)
        outputs_that_do_not_arrive(checks)
        inputs_without_crash_text(checks, space)
        options(checks)
        refused_words(checks, space)
        refused_values(checks, space)
        quiet(checks)
        several_explanations(checks, space)
        packed_and_by_flag(checks, space)
        results_through_links_and_pipes(checks, space)
        dry_runs(checks, space)
        wrong_plans(checks, space)
        files_of_vdbench(checks, space)
        documents_of_all(checks, space)
        report_of_a_watch(checks, space)
        live(checks)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
