# SPDX-License-Identifier: Apache-2.0
"""Many nodes: which stall, which are slower than the others, which are silent, what was judged."""

from grafana import (AMBER, BLUE, GREEN, RED, dashboard, dashboard_link, names, row, series, stat,
                     states, steps, table, target)
from words import (CHOSEN, NODE, RUN_COLUMNS, STANDS, VERDICTS, bands, of, quiet_hours, rate,
                   stalled, variables, verdict_number)

NODE_NAME = "{{instance}}"
ANSWERS = names(v0=("silent", RED), v1=("answers", GREEN))


def count(title, description, expr, bad=None, good=BLUE):
    thresholds = steps((None, GREEN), (1, bad)) if bad else steps((None, good))
    return stat(title, description, [target(expr, "nodes", instant=True)], width=4,
                thresholds=thresholds, graph=False, decimals=0)


def summary_row():
    verdicts = verdict_number()
    return [
        row("Fleet"),
        count("Nodes with a run", "Nodes that answer and have a run.",
              f"count(max by ({NODE}) ({of('stallproof_run_info')})) or vector(0)"),
        count("Stalled now", "Nodes on which a load is stalled at this moment.",
              f"sum({stalled()}) or vector(0)", bad=RED),
        count("Silent nodes", "Nodes whose run has not ended and that do not answer.",
              f"count(({of('stallproof:run_open')} == 1) and on ({NODE}) (up == 0)) or vector(0)",
              bad=RED),
        count("Passed", "Nodes whose run was judged pass.", f"count({verdicts} == 1) or vector(0)",
              good=GREEN),
        count("Failed", "Nodes whose run was judged fail.", f"count({verdicts} == 2) or vector(0)",
              bad=RED),
        count("Unknown", "Nodes whose run could not be judged: never green.",
              f"count({verdicts} == 3) or vector(0)", bad=AMBER),
    ]


def matrix_row():
    return [
        row("Nodes over time"),
        states("Stalls over time", "Every node and when it stalled. Many at one moment: the "
               "storage; one alone: the node.",
               [target(stalled(), NODE_NAME)], STANDS,
               height=10),
        states("Answers", "Whether a node whose run has not ended answers.",
               [target(f"up{{{CHOSEN}}} and on ({NODE}) ({of('stallproof:run_open')} == 1)",
                       NODE_NAME)], ANSWERS, height=6),
        states("Verdicts", "What each node's run was judged as.",
               [target(verdict_number(), NODE_NAME)], VERDICTS, height=6),
    ]


def speed_row():
    return [
        row("Speed"),
        series("Operations per second", "All loads of a node together.",
               [target(f"sum by ({NODE}) ({rate('stallproof_ops_total')})", NODE_NAME)],
               unit="ops"),
        series("Bytes per second", "All loads of a node together.",
               [target(f"sum by ({NODE}) ({rate('stallproof_bytes_total')})", NODE_NAME)],
               unit="Bps"),
        series("Compared with the median node", "A node's operations per second, divided by those "
               "of the median node: 1 is like the others.",
               [target(f"{of('stallproof:ops:rate1m')} / on () group_left () "
                       f"(quantile(0.5, {of('stallproof:ops:rate1m')}) > 0)", NODE_NAME)],
               unit="percentunit"),
        series("Oldest in flight", "The operation of a node that waits longest.",
               [target(f"max by ({NODE}) ({of('stallproof_oldest_inflight_seconds')})",
                       NODE_NAME)], unit="s"),
        series("Dropouts", "Since each node's run began.",
               [target(f"sum by ({NODE}) ({of('stallproof_dropouts_total')})", NODE_NAME)],
               width=8, decimals=0),
        series("Stalls", "Since each node's run began.",
               [target(f"sum by ({NODE}) ({of('stallproof_stalls_detected_total')})", NODE_NAME)],
               width=8, decimals=0),
        series("Hours since the last stall", "Or since the run began.",
               [target(quiet_hours(),
                       NODE_NAME)], width=8, unit="h"),
    ]


def table_row():
    return [
        row("Runs"),
        table("Runs and verdicts", "One line per node: what runs there and what it was judged as.",
              f"{verdict_number()} * on ({NODE}) group_right () {of('stallproof_run_info')}",
              {"Value": "Verdict", **RUN_COLUMNS},
              height=10, mappings=VERDICTS),
    ]


def make():
    return dashboard(
        "stallproof-fleet", "stallproof: fleet",
        "Many nodes: which stall, which are slow, which are silent, what was judged.",
        [*summary_row(), *matrix_row(), *speed_row(), *table_row()], variables(load=False), bands(),
        since="now-3h", refresh="30s", links=[dashboard_link("stallproof dashboards")])
