# SPDX-License-Identifier: Apache-2.0
"""What the dashboards have in common: the choice of nodes, the words of verdicts, the bands."""

from grafana import (AMBER, BLUE, GREEN, GREY, RED, annotation, names, variable)

CHOSEN = 'job=~"$job",instance=~"$instance"'
NODE = "job, instance"
# `running` is no verdict yet; `unknown` is never green.
VERDICTS = names(v0=("running", BLUE), v1=("pass", GREEN), v2=("fail", RED),
                 v3=("unknown", AMBER))
STANDS = names(v0=("quiet", GREEN), v1=("stall", RED))
RUN_COLUMNS = {"instance": "Node", "node": "Host name", "run": "Run", "command": "Command",
               "build": "Build", "kernel": "Kernel", "version": "stallproof"}
SEEN = names(v0=("no", GREEN), v1=("yes", RED))


def of(metric, more=""):
    """The metric on the chosen nodes."""
    return f"{metric}{{{CHOSEN}{',' + more if more else ''}}}"


def rate(metric, more=""):
    return f"rate({of(metric, more)}[$__rate_interval])"


def summed(labels, expr):
    """Over kinds of operations, reasons and all else that is not named."""
    return f"sum by ({NODE}, {labels}) ({expr})"


def verdict_number(selector=CHOSEN):
    """0 running, 1 pass, 2 fail, 3 unknown, for VERDICTS."""
    terms = [f'{weight} * stallproof_run_verdict{{{selector},verdict="{word}"}}'
             for weight, word in ((1, "pass"), (2, "fail"), (3, "unknown"))]
    return f"max by ({NODE}) ({' or '.join(terms)} or 0 * stallproof_run_info{{{selector}}})"


def stalled():
    """1 for each node on which a stall stands now, else 0."""
    return f"max by ({NODE}) ({of('stallproof_stall_age_seconds')} > bool 0)"


def stalled_by_class():
    return f"max by ({NODE}, class) ({of('stallproof_stall_active')} > bool 0)"


def while_active(expr):
    """Only while the run goes on: what has no meaning after its verdict."""
    return f"{expr} and on ({NODE}) ({of('stallproof_run_active')} == 1)"


def idle_seconds(more=""):
    """Since the last completed operation of each load."""
    return while_active(f"time() - {of('stallproof_last_progress_timestamp_seconds', more)}")


def quiet_hours():
    return while_active(
        f"(time() - {of('stallproof:quiet_since_timestamp_seconds')}) / 3600")


def variables(load=True, many=True):
    """`many`: several nodes may be chosen."""
    chosen = [variable("job", "Job", "label_values(stallproof_run_info, job)"),
              variable("instance", "Node",
                       'label_values(stallproof_run_info{job=~"$job"}, instance)', many)]
    if load:
        chosen.append(variable("load", "Load",
                               f"label_values({of('stallproof_ops_total')}, workload)"))
    return chosen


def bands():
    return [annotation("Stalls", of("stallproof_stall_active") + " > 0", RED, "stall: {{class}}",
                       "{{instance}}: {{class}}"),
            annotation("Disturbances on purpose", of("stallproof_injection_active") + " == 1", GREY,
                       "made on purpose: {{nemesis}}",
                       "{{instance}}: {{nemesis}}")]
