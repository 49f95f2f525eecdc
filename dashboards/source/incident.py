# SPDX-License-Identifier: Apache-2.0
"""One incident on one node: choose the node and the minutes around it."""

from grafana import (AMBER, BLUE, GREEN, RED, dashboard, dashboard_link, row, series, stat, states,
                     steps, table, target, text)
from words import (NODE, RUN_COLUMNS, SEEN, STANDS, bands, idle_seconds, of, rate,
                   stalled_by_class, summed, variables)

UNINTERRUPTIBLE = 'state=~"D.*"'
WHAT_TO_DO = """\
| | |
|---|---|
| read what was found | `stallproof show RUN --at INCIDENT` |
| everything in one file for somebody else | `stallproof report RUN -o FILE.html` |
| the node is stuck now | `stallproof capture` on the node: evidence and explanation, never hangs |
| bring the same stall about elsewhere | `stallproof repro --from RUN/incidents/INCIDENT` |

RUN is in the table beside this one."""


def what_row():
    in_window = "[$__range]"
    bad_from = steps((None, GREEN), (1, RED))
    return [
        row("What happened"),
        stat("Stood for", "Seconds of the shown time in which a stall stood, by class; as exact as "
             "the scrape interval.",
             [target(f"sum by (class) (sum_over_time(({stalled_by_class()})[$__range:1s]))",
                     "{{class}}", instant=True)],
             unit="s", width=8, thresholds=steps((None, GREEN), (0.5, RED)), graph=False),
        stat("Longest wait of an operation", "The oldest operation in flight in the shown time.",
             [target(f"max(max_over_time({of('stallproof_oldest_inflight_seconds')}{in_window}))",
                     "longest", instant=True)], unit="s", thresholds=steps((None, BLUE)),
             graph=False),
        stat("Longest lock wait", "The longest wait for an mmap_lock in the shown time.",
             [target(f"max(max_over_time({of('stallproof_lock_wait_oldest_seconds')}{in_window}))",
                     "longest", instant=True)], unit="s", thresholds=steps((None, BLUE)),
             graph=False),
        stat("Circle of waits", "Explanations in the shown time that are a circle: such a stall "
             "never resolves by itself.",
             [target(f"max(max_over_time({of('stallproof_lock_cycles_total')}{in_window}))",
                     "circles", instant=True)], thresholds=bad_from, graph=False),
        stat("Most blocked tasks", "Most tasks in uninterruptible sleep in the shown time.",
             [target(f"max(max_over_time({of('stallproof_blocked_tasks', UNINTERRUPTIBLE)}"
                     f"{in_window}))", "tasks",
                     instant=True)], thresholds=steps((None, GREEN), (1, AMBER)), graph=False),
        table("Run", "What ran: the place of the evidence is its directory.",
              of("stallproof_run_info"), RUN_COLUMNS, width=12, height=6),
        text("What to do", "Commands for an incident.", WHAT_TO_DO, width=12, height=6),
    ]


def course_row():
    return [
        row("Its course"),
        states("Stall", "When it stood, and as what: unknown until it is explained.",
               [target(stalled_by_class(), "{{class}}")],
               STANDS, height=5),
        states("Made on purpose", "A disturbance that was made on purpose: a stall in it is no "
               "alert, in the window of a mark as far as it is allowed.",
               [target(of("stallproof_injection_active"), "{{nemesis}}")], SEEN, height=4),
        series("Completed operations", "Per second: which loads stood, and which went on.",
               [target(summed("workload, op", rate("stallproof_ops_total")),
                       "{{workload}} {{op}}")], unit="ops"),
        series("Operations in flight", "What stays level while nothing completes is stuck.",
               [target(of("stallproof_inflight_ops"), "{{workload}}")], decimals=0),
        series("Oldest in flight", "A straight rise is an operation that does not end.",
               [target(of("stallproof_oldest_inflight_seconds"), "{{workload}}")], unit="s"),
        series("Time without a completed operation", "Since each load's last completed operation.",
               [target(idle_seconds(), "{{workload}}")], unit="s"),
    ]


def why_row():
    return [
        row("Why"),
        series("mmap_lock waiters", "A writer that waits stops all readers behind it.",
               [target(of("stallproof_lock_waiters"), "{{lock}} {{mode}}")], decimals=0),
        series("Oldest lock wait", "How long the first in the queue has waited.",
               [target(of("stallproof_lock_wait_oldest_seconds"), "{{lock}}")], unit="s"),
        series("Blocked tasks", "Tasks of our own loads that stand where they are.",
               [target(of("stallproof_blocked_tasks"), "{{state}}")], width=8, decimals=0),
        series("Hung tasks", "Found in each minute by the kernel's own detector, which looks only "
               "every two minutes by default.",
               [target(f"increase({of('stallproof_kernel_hung_tasks_total')}[1m])",
                       "hung tasks")], width=8),
        series("I/O pressure", "Share of the time in which all runnable tasks waited for I/O.",
               [target(rate("stallproof_io_pressure_stalled_seconds_total"), "full")], width=8,
               unit="percentunit", max=1),
        series("Captures", "Evidence that was taken and could not be, since the run began.",
               [target(of("stallproof_capture_total"), "{{kind}} {{result}}")], width=8,
               decimals=0),
        series("Length of stalls that ended", "On average, since the run began.",
               [target(f"{of('stallproof_stall_duration_seconds_sum')} / "
                       f"({of('stallproof_stall_duration_seconds_count')} > 0)", "average")],
               width=8, unit="s"),
        series("Loop lag", "By how much the watchdog was late, at most: what it says is as good "
               "as this.", [target(of("stallproof_watchdog_loop_lag_seconds"), "lag")], width=8,
               unit="s"),
    ]


def make():
    return dashboard(
        "stallproof-incident", "stallproof: incident",
        "One incident on one node: what stood, for how long, and who waited for whom.",
        [*what_row(), *course_row(), *why_row()], variables(load=False, many=False), bands(),
        since="now-5m", links=[dashboard_link("stallproof dashboards")])
