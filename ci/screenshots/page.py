# SPDX-License-Identifier: Apache-2.0
"""The page that shows all pictures; make.py puts it beside them."""

import re

NAME = re.compile(r"\]\(([a-z-]+\.(?:svg|png))\)")
TEXT = """\
# pictures

What one sees, of real runs. `ci/screenshots/make.py` makes all of it again: the console from the
bytes that a terminal got, the report in Chromium, the dashboards' panels (same queries, places and
colours, not Grafana's own drawing) from what a Prometheus answered about five runs.
`ci/screenshots/check.py` tells which picture shows something that is no longer there.

## Console

A run on a mount, as it goes on: every load with its rate, the latency of the last second, the
oldest operation in flight, and its last minute.

![a run on a mount](console-run.svg)

The reported stall while it stands:

![the reported stall](console-stall.svg)

In a pipe there are plain lines instead; `--quiet` and `--json-lines` are for programs.

## Report

One page that loads nothing: what the verdict means, and every second of the run; bands are stalls,
dropouts and what was done on purpose. In this run the file system was frozen for five seconds.

![the report of a run with a stall](report.png)

Where the desktop is dark so is the page:

![the same, dark](report-dark.png)

Each incident with who waits for whom, its circle, stacks, and the command that brings it about
again:

![an incident in the report](report-incident.png)

## Dashboards

For `--listen`, with [rules and alerts](../../dashboards/README.md). A soak:

![soak](dashboard-soak.svg)

The minute around one incident:

![incident](dashboard-incident.svg)

Four nodes, of which one died in mid-run:

![fleet](dashboard-fleet.svg)
"""


def text(there):
    """The page with the sections of which every picture is `there`."""
    head, *sections = TEXT.split("\n## ")
    kept = [each for each in sections if all(there(name) for name in NAME.findall(each))]
    return "\n## ".join((head.rstrip("\n") + "\n", *kept))
