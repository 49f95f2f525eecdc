# SPDX-License-Identifier: Apache-2.0
"""Every picture of the documentation: what it is of, and the words that are on it. Each word must
still be in the sources that say it: so a picture of what is no longer there is found out."""

import os
from collections import namedtuple

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = "examples/pictures"
MADE = "made.json"
LARGEST = 150_000

# `maker`: console, report or dashboard. `sources`: files and folders in which every word is.
Picture = namedtuple("Picture", "name maker what words sources")

VIEW = ("load", "ops/s", "p99~", "oldest")
SOAK = ("Judged as", "Stall now", "Stalls", "Dropouts so far", "Oldest in flight",
        "Operations per second", "Latency", "Oldest in flight, by load",
        "Operations per second, by target and kind", "Stalls by class")
INCIDENT = ("Stood for", "Longest wait of an operation", "Longest lock wait", "Circle of waits",
            "Most blocked tasks", "Stall", "Completed operations", "Operations in flight",
            "Oldest in flight", "mmap_lock waiters")
FLEET = ("Nodes with a run", "Stalled now", "Silent nodes", "Passed", "Failed", "Unknown",
         "Stalls over time", "Answers", "Verdicts", "Operations per second")

PICTURES = (
    Picture("console-run.svg", "console", "a run on a mount, as it goes on", VIEW,
            ("harness/sink/live_view.cpp",)),
    Picture("console-stall.svg", "console", "the reported stall while it stands",
            (*VIEW, "standing"), ("harness/sink/live_view.cpp",)),
    Picture("report.png", "report", "the report of a run with a stall: what it means, and its time",
            ("What it means", "Over time"), ("harness/sink/report",)),
    Picture("report-dark.png", "report", "the same where the desktop is dark",
            ("What it means", "Over time"), ("harness/sink/report",)),
    Picture("report-incident.png", "report", "an incident in the report: who waits for whom",
            ("Incident", "Who waits for whom"), ("harness/sink/report",)),
    Picture("dashboard-soak.svg", "dashboard", "soak: panels of a run that stalls", SOAK,
            ("dashboards/soak.json",)),
    Picture("dashboard-incident.svg", "dashboard", "incident: the minute around the stall",
            INCIDENT, ("dashboards/incident.json",)),
    Picture("dashboard-fleet.svg", "dashboard", "fleet: four nodes, one of which died", FLEET,
            ("dashboards/fleet.json",)))


def path_of(name):
    return os.path.join(TOP, FOLDER, name)
