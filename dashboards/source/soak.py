# SPDX-License-Identifier: Apache-2.0
"""One soak run, or a few: does it stand, since when, how fast is it, and can we still see."""

from grafana import (AMBER, GREEN, RED, dashboard, dashboard_link, heat_map, row, series,
                     stat, states, steps, table, target)
from words import (NODE, RUN_COLUMNS, STANDS, VERDICTS, bands, idle_seconds, of, quiet_hours, rate,
                   stalled, stalled_by_class, summed, variables, verdict_number, while_active)

LOAD = 'workload=~"$load"'
BY_LOAD = "{{instance}} {{workload}}"
KERNEL_LOG = (("stallproof_kmsg_records_total", "records"),
              ("stallproof_kmsg_lost_records_total", "lost"))
MISSED = (("sight_lost_total", "sight lost"), ("observer_gaps_total", "not run"),
          ("observer_gap_seconds_total", "seconds not run"),
          ("watchdog_events_dropped_total", "findings lost"))
FAILED = 'result="failed"'


def verdict_row():
    good_at = lambda hours: steps((None, RED), (hours / 8, AMBER), (hours, GREEN))  # noqa: E731
    bad_from = steps((None, GREEN), (1, RED))
    return [
        row("Verdict"),
        stat("Judged as", "What the run is judged as: running until it has ended; unknown is never "
             "green: something was not seen, or too little ran.",
             [target(verdict_number(), "{{instance}}", instant=True)], graph=False,
             mappings=VERDICTS),
        stat("Stall now", "Is a load stalled at this moment: operations in flight and none "
             "completed for --stall-after.",
             [target(stalled(), "{{instance}}")],
             mappings=STANDS, thresholds=bad_from, graph=False),
        stat("Hours since the last stall", "Hours without a stall: since the last one, or since "
             "the run began. This is what a soak is for.",
             [target(quiet_hours(), "{{instance}}")], thresholds=good_at(8),
             graph=False, decimals=1, unit="h"),
        stat("Stalls", "Stalls since the run began, of all classes.",
             [target(f"sum by ({NODE}) ({of('stallproof_stalls_detected_total')})",
                     "{{instance}}")],
             thresholds=bad_from),
        stat("Dropouts so far", "Times that a load's throughput was under --dropout-below of its "
             "usual one for at least 2 s while work was offered.",
             [target(f"sum by ({NODE}) ({of('stallproof_dropouts_total')})", "{{instance}}")],
             thresholds=steps((None, GREEN), (1, AMBER))),
        stat("Oldest in flight", "Age of the operation that waits longest. A hung operation is in "
             "no latency figure, since it never ends: it is here.",
             [target(f"max by ({NODE}) ({of('stallproof_oldest_inflight_seconds')})",
                     "{{instance}}")],
             unit="s", thresholds=steps((None, GREEN), (1, AMBER), (5, RED))),
        table("Runs", "What runs where: one line per node and run.", of("stallproof_run_info"),
              RUN_COLUMNS, height=5),
    ]


def throughput_row():
    return [
        row("Throughput"),
        series("Operations per second", "Completed operations of each load. Red bands are stalls, "
               "grey ones disturbances made on purpose.",
               [target(summed("workload", rate("stallproof_ops_total", LOAD)), BY_LOAD)],
               unit="ops"),
        series("Bytes per second", "What those operations moved.",
               [target(summed("workload", rate("stallproof_bytes_total", LOAD)), BY_LOAD)],
               unit="Bps"),
        series("Operations per second, by target and kind", "Of all chosen loads: what is done, "
               "and to which mount or device.",
               [target(summed("target, op", rate("stallproof_ops_total", LOAD)),
                       "{{instance}} {{target}} {{op}}")], unit="ops"),
        series("99 % were faster than, by kind", "Latency of completed operations of one kind; "
               "coarse, and blind for what never ends.",
               [target("histogram_quantile(0.99, sum by (le, instance, op) ("
                       f"{rate('stallproof_op_duration_seconds_bucket', LOAD)}))",
                       "{{instance}} {{op}}")], unit="s"),
        heat_map("Latency", "Completed operations of all chosen loads by how long they took; the "
                 "darker, the more.",
                 f"sum by (le) ({rate('stallproof_op_duration_seconds_bucket', LOAD)})"),
        series("Oldest in flight, by load", "Age of the operation of each load that waits longest.",
               [target(of("stallproof_oldest_inflight_seconds", LOAD), BY_LOAD)], unit="s"),
        series("99 % were faster than", "Latency of completed operations, from the classes of the "
               "heat map; coarse, and blind for what never ends.",
               [target("histogram_quantile(0.99, sum by (le, instance, workload) ("
                       f"{rate('stallproof_op_duration_seconds_bucket', LOAD)}))", BY_LOAD)],
               unit="s"),
        series("Operations in flight", "Begun and not completed, by load.",
               [target(of("stallproof_inflight_ops", LOAD), BY_LOAD)]),
        series("Errors and mismatches per second", "Operations that failed, by reason, and data "
               "that was not what had been written.",
               [target(rate("stallproof_op_errors_total", LOAD) + " > 0 or "
                       + summed("workload", rate("stallproof_op_errors_total", LOAD)),
                       BY_LOAD + " errors {{errno_class}}"),
                target(rate("stallproof_op_mismatches_total", LOAD), BY_LOAD + " mismatches")]),
        series("Throughput by the usual one", "Operations of the last second, divided by the "
               "median of the last 60: 1 is as usual.",
               [target(of("stallproof_throughput_ratio", LOAD), BY_LOAD)], unit="percentunit"),
        series("Run time", "Since the run began, and as planned.",
               [target(while_active(f"time() - {of('stallproof_run_start_timestamp_seconds')}"),
                       "{{instance}}"),
                target(of("stallproof_run_planned_seconds"), "{{instance}} planned")], unit="s"),
        series("Time without a completed operation", "Since each load's last completed operation.",
               [target(idle_seconds(LOAD), BY_LOAD)], unit="s"),
    ]


def stall_row():
    return [
        row("Stalls and dropouts"),
        states("Stalls by class", "When a stall of which class stood on which node.",
               [target(stalled_by_class(), "{{instance}} {{class}}")], STANDS),
        series("Stalls by source and class", "Counted since the run began: by who saw it, and, "
               "once that is settled, by class.",
               [target(of("stallproof_stalls_detected_total"), "{{instance}} by {{source}}"),
                target(summed("class", of("stallproof_stalls_total")), "{{instance}} {{class}}")],
               width=8, decimals=0),
        series("Seconds in dropouts", "How long throughput was under --dropout-below: in all, and "
               "the longest.",
               [target(of("stallproof_dropout_seconds_total", LOAD), BY_LOAD),
                target(of("stallproof_longest_dropout_seconds", LOAD), BY_LOAD + " longest")],
               width=8, unit="s"),
        states("Dropouts", "When which load was in a dropout.",
               [target(of("stallproof_dropout_active", LOAD), BY_LOAD)], STANDS, width=8,
               height=8),
        series("Dropouts by severity", "Counted since the run began: in which nothing completed, "
               "in which less than usual did; those in the window of a mark beside them.",
               [target(summed("severity", of("stallproof_dropouts_total", LOAD)),
                       "{{instance}} {{severity}}"),
                target(f"sum by ({NODE}) ({of('stallproof_dropouts_allowed_total', LOAD)})",
                       "{{instance}} allowed by a mark")], decimals=0),
        series("Allowed by a mark", "How long a stall that begins now may last by the marks of the "
               "run, and how many of those that stand are allowed to.",
               [target(of("stallproof_mark_allowed_seconds"), "{{instance}} seconds"),
                target(of("stallproof_stall_allowed") + " > 0 or "
                       f"sum by ({NODE}) ({of('stallproof_stall_allowed')})",
                       "{{instance}} stalls {{class}}")]),
    ]


def kernel_row():
    return [
        row("Locks and kernel"),
        series("mmap_lock waiters", "Tasks of the machine that wait for an mmap_lock, as "
               "readers (page faults) and as writers (mmap, munmap, mprotect).",
               [target(of("stallproof_lock_waiters"), "{{instance}} {{lock}} {{mode}}")],
               width=8, decimals=0),
        series("Oldest lock wait", "How long the first in the queue has waited.",
               [target(of("stallproof_lock_wait_oldest_seconds"), "{{instance}} {{lock}}")],
               width=8, unit="s"),
        series("Circles of waits", "Stalls whose explanation is a circle: it never resolves by "
               "itself.", [target(of("stallproof_lock_cycles_total"), "{{instance}}")], width=8,
               decimals=0),
        series("Blocked tasks", "Tasks of our own loads that stand where they are: in D, in D but "
               "killable, asleep in S in a page fault or a wait for I/O.",
               [target(of("stallproof_blocked_tasks"), "{{instance}} {{state}}")], width=8,
               decimals=0),
        series("I/O pressure", "Share of the time in which all runnable tasks waited for I/O "
               "(/proc/pressure/io, full).",
               [target(rate("stallproof_io_pressure_stalled_seconds_total"), "{{instance}}")],
               width=8, unit="percentunit", max=1),
        series("Kernel log", "Records read and lost in each minute, and tasks that the kernel's "
               "own detector found hung.",
               [*(target(f"increase({of(metric)}[1m])", "{{instance}} " + said)
                  for metric, said in KERNEL_LOG),
                target(f"increase({of('stallproof_kernel_hung_tasks_total')}[1m])",
                       "{{instance}} hung tasks")], width=8),
        series("Trouble in the kernel log", "Records since the run began that tell of lockups, "
               "failed I/O, file systems in trouble, servers that do not answer.",
               [target(of("stallproof_kmsg_events_total"), "{{instance}} {{kind}}")], width=8,
               decimals=0),
    ]


def observer_row():
    late = steps((None, GREEN), (0.5, AMBER), (2, RED))
    lost = steps((None, GREEN), (1, RED))
    return [
        row("Can we still see"),
        stat("Watchdog's last look", "How long ago it was while a run goes on; looks are 100 ms "
             "apart.",
             [target(while_active(f"time() - {of('stallproof_heartbeat_timestamp_seconds')}"),
                     "{{instance}}")],
             unit="s", thresholds=steps((None, GREEN), (2, AMBER), (10, RED))),
        stat("Latest look", "The longest delay of a look of the watchdog so far.",
             [target(of("stallproof_watchdog_loop_lag_seconds"), "{{instance}}")], unit="s",
             thresholds=late),
        stat("Age of these figures", "How old the figures were when they were scraped.",
             [target(while_active(of("stallproof_sample_age_seconds")), "{{instance}}")], unit="s",
             thresholds=late),
        stat("Blind spots", "Things that cannot be seen on this machine; verdict.json names them.",
             [target(of("stallproof_blind_spots"), "{{instance}}")],
             thresholds=steps((None, GREEN), (1, AMBER))),
        stat("Captures failed", "Evidence that was asked for and could not be taken.",
             [target(f"sum by ({NODE}) ({of('stallproof_capture_total', FAILED)})",
                     "{{instance}}")], thresholds=lost),
        stat("Left behind", "Things that could not be undone at the end of a run, processes that "
             "cannot be killed among them.",
             [target(of("stallproof_left_behind"), "{{instance}}"),
              target(of("stallproof_unkillable_children"), "{{instance}} processes")],
             thresholds=lost),
        series("Missed", "What the watchdog did not see since the run began: any rise makes the "
               "verdict unknown at best.",
               [*(target(of(f"stallproof_{name}"), "{{instance}} " + said)
                  for name, said in MISSED),
                target(of("stallproof_probe_timeouts_total"),
                       "{{instance}} no answer from {{probe}}")],
               decimals=0),
        series("Scans of the kernel's tasks", "How many a second, and how many failed.",
               [target(rate("stallproof_watchdog_scans_total"), "{{instance}}"),
                target(rate("stallproof_watchdog_scan_failures_total"), "{{instance}} failed")],
               width=6),
        series("Longest scan", "So far: the price of being watched.",
               [target(of("stallproof_watchdog_scan_max_seconds"), "{{instance}}")], width=6,
               unit="s"),
    ]


def make():
    return dashboard(
        "stallproof-soak", "stallproof: soak",
        "Does the target stand under load, since when, and is the observer's sight whole.",
        [*verdict_row(), *throughput_row(), *stall_row(), *kernel_row(), *observer_row()],
        variables(), bands(), links=[dashboard_link("stallproof dashboards")])
