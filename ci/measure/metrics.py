#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics are served while the load stands in the deadlock: every scrape in time, whoever else is
connected; the text files are valid; the port and the end are as promised."""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import judge  # noqa: E402
import scrape  # noqa: E402
from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look  # noqa: E402
from program import Started, Workspace, read_json, read_text, run  # noqa: E402

LIMIT_S = 0.020
SILENT = 6
LOADS = 32
THREADS = ["--param", "fault-threads=16", "--param", "mprotect-threads=4",
           "--param", "direct-threads=30"]
HELD = ["repro", "mmap-lock-fault", *THREADS, "--hold", "--deadline", "60s"]
QUICK = ["repro", "mmap-lock-fault", "--fix", "no-writer", "--deadline", "3s", "--json"]
ACTIVE = 'stallproof_stall_active{class="mmap_lock_cycle"}'


def stands(found):
    return found.get(ACTIVE) == 1


def in_time(checks, name, took, count):
    """`count` scrapes were answered, each within the limit."""
    slow = [f"{seconds * 1e3:.1f} ms" for seconds in took if seconds > LIMIT_S]
    checks.check(f"{name}: {count} of {count} scrapes within {LIMIT_S * 1e3:.0f} ms",
                 len(took) == count and not slow, f"{len(took)} answered, slow: {slow[:6]}")
    if took:
        checks.row(f"scrape, {name}, median / max",
                   f"{sorted(took)[len(took) // 2] * 1e3:.1f} / {max(took) * 1e3:.1f} ms",
                   f"{LIMIT_S * 1e3:.0f} ms each")


def valid(checks, name, text):
    """promtool reads it and has nothing to say of names and types."""
    promtool = shutil.which("promtool")
    if promtool is None:
        checks.skip(f"{name}: promtool check metrics", "no promtool (package prometheus)")
        return
    said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True,
                          text=True, timeout=30, check=False)
    checks.check(f"{name}: promtool check metrics",
                 said.returncode == 0 and not (said.stdout + said.stderr).strip(),
                 (said.stdout + said.stderr).strip()[:300])


def labels_bounded(body, targets=()):
    """Labels and values that no metric may have; `targets`: those that were configured."""
    found = set(re.findall(r'[{,]([a-z_]+)="([^"]*)"', body))
    problems = [f"label {name}" for name in {name for name, _ in found} &
                {"pid", "tid", "path", "file", "stack"}]
    return problems + [f"{name} {value}" for name, value in sorted(found)
                       if (value.startswith("/") or name == "target") and value not in targets]


def total(found, metric, *labels):
    """Over all series of a metric that have these labels."""
    return sum(value for series, value in found.items() if series.startswith(metric + "{")
               and all(label in series for label in labels))


def as_in_verdict(found, document):
    """The counters at the end of a run are the figures of its verdict, whatever the kinds."""
    problems = []
    for name, load in document.get("workloads", {}).items():
        for metric, figure in (("stallproof_ops_total", "ops"), ("stallproof_bytes_total", "bytes"),
                               ("stallproof_op_errors_total", "errors")):
            counted = total(found, metric, f'workload="{name}"')
            if counted != load[figure]:
                problems.append(f"{metric} of {name} is {counted:.0f}, {figure} {load[figure]}")
    return problems if document.get("workloads") else ["the verdict has no workloads"]


def standing_figures(found):
    problems = []
    for series, least in (("stallproof_lock_cycles_total", 1),
                          ('stallproof_stalls_detected_total{source="no-progress"}', 1),
                          ('stallproof_stalls_total{class="mmap_lock_cycle",'
                           'source="no-progress"}', 1),
                          ("stallproof_stall_age_seconds", 1),
                          ('stallproof_lock_waiters{lock="mmap_lock",mode="write"}', 1),
                          ('stallproof_lock_waiters{lock="mmap_lock",mode="read"}', 1),
                          ("stallproof_run_active", 1)):
        if found.get(series, 0) < least:
            problems.append(f"{series} is {found.get(series)}")
    if not [series for series, value in found.items()
            if series.startswith("stallproof_oldest_inflight_seconds") and value > 1]:
        problems.append("no operation is old")
    return problems


def bad_clients(port):
    """Six that say nothing, one that says half a request, one that reads nothing."""
    clients = [scrape.connect(port) for _ in range(SILENT)]
    half = scrape.connect(port)
    half.sendall(scrape.REQUEST[:20])
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.connect(("127.0.0.1", port))
    deaf.sendall(scrape.REQUEST)
    return [*clients, half, deaf]


def deadlock(checks, space, count):
    port = scrape.port_free()
    before = look()
    started = Started([*HELD, "--listen", f":{port}", "--linger", "20s"], space)
    body = scrape.wait_for(port, 40, stands)
    checks.check("the deadlock is told by its class", bool(body), "no such series in 40 s")
    checks.all("what stands is told", standing_figures(scrape.values(body)))
    valid(checks, "endpoint", re.sub(r"(?m)^(# \w+ )?exposer_.*\n", "", body))
    checks.all("labels have no pid or file, targets are the configured ones",
               labels_bounded(body, ("mmap-lock-fault",)))
    checks.all("loads are told by kind of operation",
               [f"no {kind}" for kind in ("read", "fault", "mprotect")
                if not total(scrape.values(body), "stallproof_ops_total", f'op="{kind}"')])
    first = scrape.values(body)
    in_time(checks, "50 threads in the deadlock", scrape.many(port, count)[0], count)
    clients = bad_clients(port)
    took, body = scrape.many(port, count)
    in_time(checks, f"the same, {SILENT} silent clients and two bad ones", took, count)
    for client in clients:
        client.close()
    checks.all("counters never fall", scrape.falls(first, scrape.values(body)))
    started.signal(signal.SIGINT)  # ends the hold
    lingers(checks, started, port)
    ended = started.ended(20)
    checks.check("exit 0: reproduced", ended.code == 0, ended.describe())
    text = read_text(os.path.join(ended.run_dir, "stallproof.prom"))
    valid(checks, "stallproof.prom", text)
    checks.check("stallproof.prom holds the verdict",
                 'stallproof_run_verdict{verdict="pass"} 1\n' in text, text[-300:])
    checks.all("its counters are the figures of verdict.json", as_in_verdict(
        scrape.values(text), read_json(os.path.join(ended.run_dir, "verdict.json")) or {}))
    checks.all("the machine is as before", clean_machine(before, ended, started.session))


def lingers(checks, started, port):
    body = scrape.wait_for(port, 20, lambda found: found.get("stallproof_run_active") == 0)
    found = scrape.values(body)
    checks.check("the verdict is served after the run",
                 found.get('stallproof_run_verdict{verdict="pass"}') == 1 and
                 found.get(ACTIVE) == 0, str({key: value for key, value in found.items()
                                              if "verdict" in key or "active" in key}))
    checks.check("the command lingers", not started.wait(1.0), "it has ended")
    asked = time.monotonic()
    started.signal(signal.SIGTERM)
    checks.check("SIGTERM ends it", scrape.gone(port, 5) and started.wait(5),
                 f"still there after {time.monotonic() - asked:.1f} s")


def many_series(checks, space, count):
    plan = space.new("plan") + ".toml"
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write('[plan]\nduration = "60s"\n[[process]]\n')
        for number in range(LOADS):
            stream.write(f'[[process.load]]\nname = "load{number}"\n'
                         'workload = "mprotect-storm"\nmprotect-rate = 20\n')
    port = scrape.port_free()
    started = Started(["run", plan, "--target", "/dev/shm", "--listen", str(port), "--linger",
                       "30s"], space)
    body = scrape.wait_for(port, 20, lambda found:
                           all(total(found, "stallproof_ops_total", f'workload="load{number}"') > 0
                               for number in range(LOADS)))
    series = len(scrape.values(body))
    checks.check(f"{LOADS} loads make a thousand series and more", 1000 <= series <= 2500,
                 str(series))
    checks.all("the target is the one of the run", labels_bounded(body, ("/dev/shm",)))
    clients = [scrape.connect(port) for _ in range(SILENT)] if body else []
    in_time(checks, f"{series} series, {SILENT} silent clients", scrape.many(port, count)[0], count)
    for client in clients:
        client.close()
    started.signal(signal.SIGINT)
    asked = time.monotonic()
    ended = started.ended(30)
    checks.check("a run that was interrupted does not linger",
                 ended.code == 3 and time.monotonic() - asked < 15, ended.describe())


def other_commands(checks, space):
    """Load that is not ours, and vdbench's own words."""
    reader = ("import os, time\nfile = os.open('/bin/sh', os.O_RDONLY)\nend = time.time() + 8\n"
              "while time.time() < end: os.pread(file, 4096, 0); time.sleep(0.001)\n")
    port = scrape.port_free()
    started = Started(["watch", "--listen", f"127.0.0.1:{port}"], space,
                      after=["--", sys.executable, "-c", reader])
    name = f'workload="{os.path.basename(os.path.realpath(sys.executable))[:15]}"'
    body = scrape.wait_for(port, 8,
                           lambda found: total(found, "stallproof_ops_total", name) > 0)
    if not body:  # the name it was started by
        name = f'workload="{os.path.basename(sys.executable)[:15]}"'
        body = scrape.wait_for(port, 2,
                               lambda found: total(found, "stallproof_ops_total", name) > 0)
    checks.check("a watched command is a workload by its name", bool(body), name)
    checks.check("of whose bytes nothing is said", "stallproof_bytes_total" not in body, "")
    ended = started.ended(30)
    checks.check("watch ends as its command does", ended.code == 0, ended.describe())
    file = space.new("parameters")
    with open(file, "w", encoding="utf-8") as stream:
        lun = space.new("lun")
        stream.write(f"sd=sd1,lun={lun},size=4m\nwd=wd1,sd=sd1\n"
                     "rd=rd1,wd=wd1,iorate=100,elapsed=4,interval=1\n")
    port = scrape.port_free()
    started = Started(["vdbench", "-f", file, f"--listen={port}"], space)
    body = scrape.wait_for(port, 15, lambda found: total(
        found, "stallproof_ops_total", 'workload="sd1"', f'target="{lun}"', 'op="read"') > 0)
    checks.check("a storage definition is a workload, its lun the target", bool(body),
                 "no such series")
    ended = started.ended(40)
    checks.check("vdbench ends with 0", ended.code == 0, ended.describe())


def hostile_name(checks, space):
    """A watched process may have any name: it is escaped wherever it is shown."""
    body = ("import os, sys, time\nopen('/proc/self/comm', 'w').write('<s>\"\\n{x}')\n"
            "file = os.open('/bin/sh', os.O_RDONLY)\nend = time.time() + 30\n"
            "print('renamed', flush=True)\n"
            "while time.time() < end: os.pread(file, 4096, 0); time.sleep(0.001)\n")
    with subprocess.Popen([sys.executable, "-c", body], stdout=subprocess.PIPE) as reader:
        reader.stdout.readline()
        port = scrape.port_free()
        started = Started(["watch", "--pid", str(reader.pid), "--duration", "4s", "--listen",
                           str(port)], space)
        text = scrape.wait_for(port, 8, lambda found: total(
            found, "stallproof_ops_total", 'workload="<s>') > 0)
        ended = started.ended(30)
        reader.kill()
    checks.check("a name with quotes and line ends is one label", bool(text) and
                 'workload="<s>\\"?{x}"' in text, re.findall(r'workload="[^,}]*', text)[:2])
    valid(checks, "such a name", re.sub(r"(?m)^(# \w+ )?exposer_.*\n", "", text))
    page = read_text(os.path.join(ended.run_dir, "report.html"))
    checks.check("and no markup of the report", page and "<s>" not in page, f"{len(page)} bytes")


def ports(checks, space):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run([*QUICK, "--listen", f":{port}"], space, 20)
        checks.all("a port that is taken: exit 2, one line that names it",
                   judge.one_line_refusal(ended.code, ended.out, ended.err, 2,
                                          (f"127.0.0.1:{port}", "in use")))
        checks.check("and nothing was run", not os.path.exists(ended.run_dir), ended.run_dir)
    for text in ("x", "127.0.0.1:99999", "[::1]:80", "example.com:80"):
        ended = run([*QUICK, "--listen", text], space, 20)
        checks.all(f"--listen {text}: exit 2, one line that names it",
                   judge.one_line_refusal(ended.code, ended.out, ended.err, 2, ("--listen", text)))
    ended = run([*QUICK, "--linger", "5s"], space, 20)
    checks.all("--linger alone: exit 2",
               judge.one_line_refusal(ended.code, ended.out, ended.err, 2, ("--linger",)))


def chosen_port_and_files(checks, space):
    folder = space.new("textfiles")
    os.mkdir(folder)
    file = os.path.join(folder, "stallproof.prom")
    started = Started([*QUICK, "--listen", ":0", "--linger", "1s", "--textfile", file], space)
    deadline, found = time.monotonic() + 15, None
    while found is None and time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", read_text(started.base + ".err"))
        time.sleep(0.05)
    checks.check("port 0: the chosen one is printed", found is not None, "no address on stderr")
    if found:
        checks.check("and served", bool(scrape.wait_for(
            int(found.group(1)), 20, lambda values: "stallproof_run_active" in values)), "nobody")
    ended = started.ended(40)
    checks.check("the run ends by itself after --linger", not ended.hung, ended.describe())
    text = read_text(file)
    valid(checks, "--textfile", text)
    checks.check("--textfile holds the run's end", "stallproof_run_active 0\n" in text, text[-200:])
    checks.check("and nothing is left beside it", os.listdir(folder) == ["stallproof.prom"],
                 str(os.listdir(folder)))
    ended = run([*QUICK, "--textfile", os.path.join(folder, "no", "such.prom")], space, 20)
    checks.all("--textfile nowhere: exit 2, one line that names it",
               judge.one_line_refusal(ended.code, ended.out, ended.err, 2, ("no/such.prom",)))
    pipe = os.path.join(folder, "pipe")
    os.mkfifo(pipe)
    ended = run([*QUICK, "--textfile", pipe], space, 20)
    checks.all("--textfile PIPE: exit 2, one line that names it",
               judge.one_line_refusal(ended.code, ended.out, ended.err, 2, (pipe,)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scrapes", type=int, default=100, help="of each kind")
    options = parser.parse_args()
    with Checks("metrics", 240) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        ports(checks, space)
        chosen_port_and_files(checks, space)
        deadlock(checks, space, options.scrapes)
        many_series(checks, space, options.scrapes)
        other_commands(checks, space)
        hostile_name(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
