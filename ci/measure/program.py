# SPDX-License-Identifier: Apache-2.0
"""Runs the stallproof program as a user would: with a deadline, in a session of its own, its output
in files, because a pipe stays open as long as a stuck descendant holds it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from machine import processes

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("STALLPROOF", os.path.join(TOP, "build/dev/harness/cmd/stallproof"))


class Workspace:
    """A fresh directory for run directories and outputs. remove() first ends what still runs."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="stallproof-measure-")
        self.count = 0
        self.started = []

    def new(self, name):
        self.count += 1
        return os.path.join(self.path, f"{self.count:03d}-{name}")

    def remove(self):
        for each in self.started:
            each.stop()
        # By now everything is judged: what a failed run left in its session is ended by pid.
        sessions = {each.session for each in self.started}
        for pid, (_, session) in processes().items():
            if session in sessions:
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.path, ignore_errors=True)


class Ended:
    """What a run left: exit code, output, the JSON document and the run directory."""

    def __init__(self, code, out, err, run_dir, seconds, hung=False):
        self.code, self.out, self.err, self.run_dir = code, out, err, run_dir
        self.seconds, self.hung = seconds, hung
        self.doc = parse_object(out)

    def describe(self):
        kind = "hung, killed" if self.hung else f"exit {self.code}"
        last = (self.err.strip() or self.out.strip()).splitlines()
        return f"{kind} after {self.seconds:.1f} s" + (f": {last[-1][:160]}" if last else "")

    def events(self):
        return read_events(self.run_dir)

    def pids(self):
        return {event["pid"] for event in self.events()
                if event.get("event") == "child" and isinstance(event.get("pid"), int)}

    def incident(self, stall_id):
        """{file name: parsed JSON} of one incident; absent files are absent."""
        folder = os.path.join(self.run_dir, "incidents", str(stall_id))
        found = {}
        for name in ("incident.json", "explanation.json", "truth.json"):
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as stream:
                    found[name] = json.load(stream)
            except (OSError, ValueError):
                pass
        return found


class Started:
    """A running stallproof. Every wait has a deadline; end() never waits for a stuck process."""

    def __init__(self, words, workspace, prefix=(), run_dir=None, binary=BINARY, after=(),
                 no_out=False, **popen):
        self.base = workspace.new("run")
        self.run_dir = run_dir or self.base + ".d"
        place = [] if no_out else ["-o", self.run_dir]
        command = [*prefix, binary, *words, *place, *after]
        self.began = time.monotonic()
        with open(self.base + ".out", "wb") as out, open(self.base + ".err", "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, start_new_session=True, **popen)
        self.session = self.process.pid
        workspace.started.append(self)

    def wait(self, seconds):
        """True when it has ended."""
        try:
            self.process.wait(timeout=max(0.0, seconds))
            return True
        except subprocess.TimeoutExpired:
            return False

    def signal(self, number):
        if self.process.poll() is None:
            os.kill(self.process.pid, number)

    def wait_event(self, seconds, **wanted):
        """The first event that has all `wanted` values, or None at the deadline."""
        deadline = time.monotonic() + seconds
        while True:
            for event in read_events(self.run_dir):
                if all(event.get(key) == value for key, value in wanted.items()):
                    return event
            if time.monotonic() > deadline or self.process.poll() is not None:
                return None
            time.sleep(0.02)

    def stop(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            self.signal(number)
            if self.wait(4):
                return

    def ended(self, seconds):
        """Waits, at most `seconds`; a run that is still there then hung and is ended by pid."""
        hung = not self.wait(seconds)
        self.stop()
        took = time.monotonic() - self.began
        return Ended(self.process.poll(), read_text(self.base + ".out"),
                     read_text(self.base + ".err"), self.run_dir, took, hung)


def run(words, workspace, seconds=60, **options):
    return Started(words, workspace, **options).ended(seconds)


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def read_json(path):
    """The JSON object in a file, or None."""
    return parse_object(read_text(path))


def read_events(run_dir):
    """events.jsonl as far as it is written; a half line at the end is left for next time."""
    return [event for event in map(parse_object,
                                   read_text(os.path.join(run_dir, "events.jsonl")).splitlines())
            if event is not None]


def parse_object(text):
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
