#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Notices: the user's command gets what it must, once, and nothing it does can hold a run up or
change its verdict."""

import argparse
import glob
import http.server
import json
import os
import signal
import stat
import sys
import threading
import time

sys.dont_write_bytecode = True

from checks import Checks, stop_if_lacking  # noqa: E402
from machine import clean_machine, look, processes  # noqa: E402
from own_mounts import LoopFs, Tmpfs  # noqa: E402
from program import TOP, Started, Workspace, read_json, read_text, run  # noqa: E402

REPRO = ("repro", "mmap-lock-fault")
EXAMPLES = os.path.join(TOP, "examples/notify")


def script(space, body):
    path = space.new("notify")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("#!/bin/sh\n" + body)
    os.chmod(path, stat.S_IRWXU)
    return path


class Recorder:
    """A command that keeps every notice, and the notices it kept, in their order."""

    def __init__(self, space):
        self.folder = space.new("told")
        os.mkdir(self.folder)
        self.path = script(space, f'cat >"{self.folder}/$(date +%s%N)"\n')

    def told(self, event=None):
        found = [read_json(path) or {"event": f"unreadable: {path}"}
                 for path in sorted(glob.glob(self.folder + "/*"))]
        return [each for each in found if event in (None, each["event"])]


def verdict(result):
    return read_json(os.path.join(result.run_dir, "verdict.json")) or {}


def a_stall_is_told(checks, space):
    before = look()
    recorder = Recorder(space)
    result = run((*REPRO, "--label", "build=7", "--notify", recorder.path), space)
    told, doc = recorder.told(), verdict(result)
    stalls, verdicts = recorder.told("stall"), recorder.told("verdict")
    checks.check("a reproduction tells one stall and one verdict",
                 result.code == 0 and len(stalls) == 1 and len(verdicts) == 1
                 and len(told) <= 3 and told[0] == stalls[0] and told[-1] == verdicts[0],
                 f"{result.describe()} {[each['event'] for each in told]}")
    stall, end = stalls[0], verdicts[0]
    checks.check("the stall's class and signature are those of the verdict",
                 stall["class"] == "mmap_lock_cycle" == end["class"]
                 and stall["signature"] == doc["stalls"][0]["signature"] == end["signature"]
                 and stall["summary"], f"{stall} {doc['stalls']}")
    checks.check("it names run, node, label, onset and existing paths",
                 stall["run"] == doc["run"] and stall["node"] == doc["node"]
                 and stall["labels"] == {"build": "7"} and stall["onset"][:19] ==
                 doc["stalls"][0]["onset"][:19]
                 and os.path.exists(stall["paths"]["explanation"])
                 and stall["paths"]["run"] == result.run_dir, str(stall))
    checks.check("the verdict's notice has what verdict.json has",
                 end["verdict"] == doc["verdict"] and end["exit_code"] == doc["exit_code"] == 0
                 and end["reasons"] == doc["reasons"] and end["stalls_total"] == 1, str(end))
    checks.check("all delivered is no note", doc["notes"] == [], str(doc["notes"]))
    checks.all("nothing is left", clean_machine(before, result))


def nothing_holds_it_up(checks, space):
    before = look()
    pids = space.new("pids")
    hangs = script(space, f"sleep 300 & echo $$ $! >>{pids}; trap '' TERM; wait\n")
    result = run((*REPRO, "--notify", hangs), space, seconds=90)
    doc = verdict(result)
    checks.check("a command that hangs changes no verdict",
                 result.code == 0 and doc["verdict"] == "pass", result.describe())
    checks.check("it is killed after its 10 s, every time", 18 < result.seconds < 45,
                 f"{result.seconds:.1f} s")
    checks.check("that is told in the verdict and of the verdict",
                 any("not delivered" in note for note in doc["notes"])
                 and "the verdict was not delivered" in result.err, f"{doc['notes']} {result.err}")
    alive = [pid for pid in map(int, read_text(pids).split()) if pid in processes()]
    checks.check("neither it nor what it started is left", not alive, str(alive))
    for name, body, said in (("fails", "echo no such host >&2; exit 5\n", "exit 5: no such host"),
                             ("is killed", "kill -9 $$\n", "killed by signal 9")):
        result = run((*REPRO, "--notify", script(space, body)), space)
        checks.check(f"a command that {name} is told and changes nothing",
                     result.code == 0 and any(said in note for note in verdict(result)["notes"]),
                     f"{result.describe()} {verdict(result).get('notes')}")
    started = Started((*REPRO, "--fix", "split-pool", "--deadline", "4s", "--notify", hangs), space)
    started.wait_event(20, event="armed")
    for pid, (name, session) in processes().items():
        if name == "sp-notifier" and session == started.session:
            os.kill(pid, 9)
    result = started.ended(40)
    checks.check("when the process that delivers is killed the run goes on, and says so",
                 result.code == verdict(result)["exit_code"] and not result.hung
                 and any("killed by signal 9" in note for note in verdict(result)["notes"]),
                 f"{result.describe()} {verdict(result).get('notes')}")
    checks.all("nothing is left after all that", clean_machine(before, result))


def the_same_twice(checks, space):
    mount, recorder = LoopFs("ext4"), Recorder(space)
    plan = space.new("plan") + ".toml"
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write(f'[plan]\nduration = "12s"\n[notify]\ncommand = ["{recorder.path}"]\n'
                     '[[process]]\n[[process.load]]\nworkload = "direct-io"\n'
                     'io-file-size = "16m"\nio-read-percent = 0\n')
    try:
        started = Started(["run", plan, "--target", mount.path], space)
        started.wait_event(60, event="load_started")
        for _ in range(2):
            time.sleep(1.5)
            mount.freeze()
            time.sleep(2.2)
            mount.thaw()
        result = started.ended(60)
        stalls, told = verdict(result)["stalls"], recorder.told()
        same = {stall["signature"] for stall in stalls}
        checks.check("two stalls of one signature are one notice",
                     result.code == 0 and len(stalls) == 2 and len(same) == 1
                     and [each["event"] for each in told] == ["stall", "resolved", "verdict"],
                     f"{result.describe()} {same} {[each['event'] for each in told]}")
        checks.check("its end is told with it", told and told[1]["incident"] == told[0]["incident"]
                     and told[1]["resolved_ms"] > told[0]["onset_ms"], str(told))
        checks.check("the verdict tells of both", told and told[-1]["stalls_total"] == 2,
                     str(told[-1:]))
    finally:
        mount.remove()


def nothing_of_a_canary(checks, space):
    mount, recorder = Tmpfs(), Recorder(space)
    try:
        result = run(("run", "--target", mount.path, "--size", "16M", "--canary", "yes",
                      "--duration", "2s", "--notify", recorder.path), space, seconds=60)
        seen = (verdict(result).get("observer") or {}).get("canary")
        checks.check("a canary was made", bool(seen), f"{result.describe()} {seen}")
        told = [each["event"] for each in recorder.told()]
        checks.check("nobody is told of it", told == ["verdict"], str(told))
    finally:
        mount.remove()


def lost_sight_is_told(checks, space):
    recorder = Recorder(space)
    started = Started((*REPRO, "--fix", "split-pool", "--deadline", "8s", "--notify",
                       recorder.path), space)
    started.wait_event(20, event="armed")
    watchdog = started.wait_event(1, event="child", role="watchdog")["pid"]
    os.kill(watchdog, signal.SIGSTOP)
    time.sleep(1.6)
    os.kill(watchdog, signal.SIGCONT)
    result = started.ended(40)
    told = recorder.told("blind")
    checks.check("that the watchdog was not run is told as blind, once for each reason",
                 0 < len(told) <= 2 and all(each.get("summary") or each.get("why")
                                            for each in told)
                 and result.code == verdict(result)["exit_code"],
                 f"{result.describe()} {told}")


def commands_of_a_watch(checks, space):
    before, recorder = look(), Recorder(space)
    result = run(("watch", "--notify", recorder.path), space, after=("--", "sh", "-c", "exit 5"))
    checks.check("watch -- COMMAND ends as the command does, and its verdict is told",
                 result.code in (3, 5) and verdict(result)["command_exit"] == 5
                 and [each["event"] for each in recorder.told()] == ["verdict"],
                 f"{result.describe()} {recorder.told()}")
    loads = [name for name in verdict(result)["workloads"] if "notifier" in name]
    checks.check("the process that delivers is nobody's load", not loads, str(loads))
    checks.all("nothing is left of it", clean_machine(before, result))


def refused_first(checks, space):
    for name, words, said in (("is not there", "no-such-program -x", "command not found"),
                              ("cannot be run", "/etc/passwd", "not executable"),
                              ("is not closed", "sh -c 'x", "is not closed")):
        result = run((*REPRO, "--notify", words), space)
        lines = result.err.strip().splitlines()
        checks.check(f"a command that {name} is refused before anything is written",
                     result.code == 2 and len(lines) == 1 and said in lines[0]
                     and not os.path.exists(result.run_dir), f"{result.describe()} {lines}")
    plan = space.new("plan") + ".toml"
    with open(plan, "w", encoding="utf-8") as stream:
        stream.write('[plan]\nduration = "1s"\n[notify]\ncommand = ["/nonexistent"]\n[[process]]\n'
                     '[[process.load]]\nworkload = "mprotect-storm"\npath = "/dev/null"\n')
    result = run(("run", plan), space)
    checks.check("so is a plan's", result.code == 2 and "/nonexistent" in result.err,
                 result.describe())
    silent = run(("run", plan, "--notify", ""), space)
    checks.check("an empty word on the command line is nobody, whatever the plan says",
                 silent.code == 0 and verdict(silent)["notes"] == [], silent.describe())


class Webhook(http.server.BaseHTTPRequestHandler):
    got = []

    def do_POST(self):
        Webhook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200 if self.path == "/hook" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def shipped_examples(checks, space):
    mails = space.new("mails")
    fake = script(space, f'echo "== $*" >>{mails}; cat >>{mails}\n')
    environment = {**os.environ, "SENDMAIL": fake, "STALLPROOF_MAIL_TO": "storage@example.org"}
    result = run((*REPRO, "--notify", os.path.join(EXAMPLES, "mail")), space, env=environment)
    text = read_text(mails)
    checks.check("examples/notify/mail sends a mail for the stall and one for the verdict",
                 result.code == 0 and text.count("To: storage@example.org") in (2, 3)
                 and "mmap_lock_cycle" in text and "verdict: pass" in text
                 and "== -t -oi" in text and verdict(result)["notes"] == [],
                 f"{result.describe()} {verdict(result).get('notes')} {text[:300]}")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        chat = os.path.join(EXAMPLES, "chat")
        url = f"http://127.0.0.1:{server.server_port}"
        environment = {**os.environ, "STALLPROOF_WEBHOOK_URL": url + "/hook", "no_proxy": "*"}
        result = run((*REPRO, "--notify", chat), space, env=environment)
        texts = [each["text"] for each in Webhook.got]
        checks.check("examples/notify/chat posts them to the webhook",
                     result.code == 0 and len(texts) in (2, 3) and "mmap_lock_cycle" in texts[0]
                     and "verdict *pass*" in texts[-1] and verdict(result)["notes"] == [],
                     f"{result.describe()} {verdict(result).get('notes')} {texts}")
        environment["STALLPROOF_WEBHOOK_URL"] = url + "/wrong"
        result = run((*REPRO, "--notify", chat), space, env=environment)
        checks.check("a webhook that refuses is told",
                     result.code == 0 and any("404" in note for note in verdict(result)["notes"]),
                     f"{result.describe()} {verdict(result).get('notes')}")
    finally:
        server.shutdown()
        server.server_close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help="only these")
    options = parser.parse_args()
    with Checks("notices", 420) as checks:
        stop_if_lacking(checks)
        space = Workspace()
        checks.at_end(space.remove)
        for part in (refused_first, a_stall_is_told, nothing_holds_it_up, the_same_twice,
                     nothing_of_a_canary, lost_sight_is_told, commands_of_a_watch,
                     shipped_examples):
            if not options.parts or part.__name__ in options.parts:
                part(checks, space)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
