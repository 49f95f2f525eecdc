# SPDX-License-Identifier: Apache-2.0
"""Counting checks: one line each as they come, one JSON line at the end for ci/test."""

import json
import signal
import sys
import time


class Overdue(Exception):
    """The script's own deadline passed."""


class Checks:
    """`with Checks("name", deadline_s) as checks:` ends with the summary, whatever happens inside;
    `code` is then the exit code. The JSON line has name, passed, failed, skipped, seconds,
    failures[], skips[] and rows[] ({what, value, limit})."""

    def __init__(self, name, deadline_s):
        self.name, self.deadline_s = name, deadline_s
        self.passed, self.failures, self.skips, self.rows = 0, [], [], []
        self.began = time.monotonic()
        self.ended = []

    def __enter__(self):
        signal.signal(signal.SIGALRM, self._overdue)
        signal.signal(signal.SIGTERM, self._terminated)
        # A shell starts background jobs with SIGINT ignored, and our children would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.alarm(max(1, int(self.deadline_s)))
        return self

    def __exit__(self, kind, error, trace):
        signal.alarm(0)
        if error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
            self.check("the script ran to its end", False, f"{kind.__name__}: {error}")
        elif error is not None:
            self.check("the script ran to its end", False, "interrupted")
        for undo in reversed(self.ended):
            undo()
        print(self.summary(), flush=True)
        return True

    def at_end(self, undo):
        self.ended.append(undo)

    def check(self, name, holds, detail=""):
        """Counts one check. `detail` says what was seen and is printed when it does not hold."""
        if holds:
            self.passed += 1
            print(f"ok   {self.name}: {name}", flush=True)
        else:
            self.failures.append(f"{name}: {detail}")
            print(f"FAIL {self.name}: {name}: {detail}", flush=True)
        return bool(holds)

    def all(self, name, problems):
        """Counts one check that holds when the list of problems is empty."""
        return self.check(name, not problems, "; ".join(problems[:4]))

    def skip(self, name, reason):
        self.skips.append(f"{name}: {reason}")
        print(f"skip {self.name}: {name}: {reason}", flush=True)

    def row(self, what, value, limit):
        self.rows.append({"what": what, "value": value, "limit": limit})

    @property
    def code(self):
        if self.failures or not (self.passed or self.skips):
            return 1
        return 0 if self.passed else 77

    def summary(self):
        return json.dumps({
            "name": self.name, "passed": self.passed, "failed": len(self.failures),
            "skipped": len(self.skips), "seconds": round(time.monotonic() - self.began, 1),
            "failures": self.failures, "skips": self.skips, "rows": self.rows})

    def _overdue(self, *_):
        raise Overdue(f"not done after {self.deadline_s} s")

    def _terminated(self, *_):
        raise Overdue("ended from outside")


def lacking_means():
    """Why nothing can be measured on this machine, or None."""
    import os
    import stat
    if os.geteuid() != 0:
        return "not root"
    try:
        if not stat.S_ISCHR(os.stat("/dev/fuse").st_mode):
            return "/dev/fuse is no device"
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    return None


def stop_if_lacking(checks):
    """Skips the whole script, counted, on a machine that lacks the means."""
    reason = lacking_means()
    if reason:
        checks.skip("everything", reason)
        print(checks.summary(), flush=True)
        sys.exit(77)
