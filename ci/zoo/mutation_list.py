# SPDX-License-Identifier: Apache-2.0
"""Detector by detector: the stall that needs it, and what is seen only with it. Pure but for
unlisted(), which asks the program for its detectors."""

import json
import subprocess

from program import BINARY

STAND = ["--hold", "--deadline"]  # for so long the stall stands
SOON = ["--deadline", "3s"]  # a run that sees no stall is over


class Mutation:
    """`seen(verdict, documents of the first incident)` is what the claim says."""

    def __init__(self, detector, words, claim, seen, disturbance=""):
        self.detector, self.words, self.claim = detector, words, claim
        self.seen, self.disturbance = seen, disturbance


def has_source(name):
    return lambda verdict, _: any(name in stall.get("sources", [])
                                  for stall in verdict.get("stalls", []))


def supported_by(name):
    """incident.json names the detector and says in words what it found."""
    def seen(_, first):
        incident = first.get("incident.json", {})
        return name in incident.get("detectors", []) and any(
            each.get("detector") == name and each.get("what")
            for each in incident.get("support", []))
    return seen


def of_class(name):
    return lambda verdict, _: any(stall.get("class") == name for stall in verdict.get("stalls", []))


def lock_is_read(_, first):
    """Who queues for the lock is known from the lock, not guessed from stacks."""
    explanation = first.get("explanation.json", {})
    lock = (explanation.get("root") or {}).get("lock")
    return lock is not None and any(
        edge.get("to") == lock and edge.get("certainty") == "exact"
        for edge in explanation.get("edges", []))


def nothing_told(verdict, _):
    return not verdict.get("stalls") and verdict.get("observer", {}).get("gaps", 0) > 0


MUTATIONS = (
    Mutation("no-progress", ["fuse-server-hung", "--variant", "stopped", *SOON],
             "a load that stands is a stall", has_source("no-progress")),
    Mutation("stuck-op", ["fuse-server-hung", "--variant", "one-lost", *SOON],
             "one operation that never ends is a stall", has_source("stuck-op")),
    Mutation("blocked-tasks", ["fs-frozen"],
             "tasks in D are counted in the incident",
             lambda verdict, first: has_source("blocked-tasks")(verdict, first)
             and first.get("incident.json", {}).get("blocked_tasks", 0) > 0),
    Mutation("dropout", ["loop-on-dead-fuse", "--variant", "stopped", *STAND, "4s"],
             "the dropout of the load is told",
             lambda verdict, _: bool(verdict.get("dropouts"))),
    Mutation("hung-task", ["fs-frozen", *STAND, "6s"],
             "what the kernel's own detector found is in the incident",
             supported_by("hung-task")),
    Mutation("device-inflight", ["loop-on-dead-fuse", "--variant", "stopped", *STAND, "4s"],
             "the disk that ends no request is named", supported_by("device-inflight")),
    Mutation("fuse-waiting", ["fuse-server-hung", "--variant", "stopped", *SOON],
             "the connection that answers no request is named", supported_by("fuse-waiting")),
    Mutation("pressure", ["loop-on-dead-fuse", "--variant", "stopped", *STAND, "4s"],
             "that everything waited for I/O is told", supported_by("pressure")),
    Mutation("kernel-log", ["fuse-server-hung", "--variant", "stopped", *STAND, "4s"],
             "the I/O error in the kernel log is in the incident", supported_by("kernel-log"),
             "failed writes"),
    Mutation("lock-contention", ["mmap-lock-fault", "--variant", "read-error"],
             "who queues for the lock is read from it", lock_is_read),
    Mutation("vma-lock", ["vma-lock-mkwrite"],
             "the VMA's lock is what is told", of_class("vma_lock_held")),
    # The load goes on in what a second has left for it: 50 ms, between which its ops grow old.
    Mutation("cpu-queue",
             ["mmap-lock-fault", "--fix", "split-pool", "--expect", "quiet", "--deadline", "7s",
              "--stall-after", "800ms", "--fail-after", "20s"],
             "a load whose threads queue for a CPU has not stalled",
             lambda verdict, _: not verdict.get("stalls"), "no CPU left"),
    Mutation("observer-gap",
             ["control-rate-limited-idle", "--param", "every=1s", "--expect", "quiet",
              "--deadline", "6s"],
             "a load that was stopped together with its watchdog has not stalled", nothing_told,
             "stopped together"),
)


def unlisted():
    """Detectors without a mutation, and mutations of no detector."""
    shown = subprocess.run([BINARY, "list", "detectors", "--json"], capture_output=True, text=True,
                           timeout=20, check=True)
    known = {row["name"] for row in json.loads(shown.stdout)}
    return sorted(f"{name}: only in one of the two lists"
                  for name in known ^ {each.detector for each in MUTATIONS})
