# SPDX-License-Identifier: Apache-2.0
"""The outcomes of many runs as tables: the confusion matrix, what was reached against the goals."""

import collections

from verdicts import DELAY_MS

CLASS_SHARE, ROOT_SHARE = 0.98, 0.98


def share(outcomes, what):
    """(how many hold, how many were judged)."""
    judged = [getattr(each, what) for each in outcomes if getattr(each, what) is not None]
    return sum(judged), len(judged)


def confusion(outcomes):
    """{expected class: {told class: runs}}, both ordered by name."""
    counted = collections.defaultdict(collections.Counter)
    for each in outcomes:
        counted[each.expected][each.told] += 1
    return {wanted: dict(sorted(counted[wanted].items())) for wanted in sorted(counted)}


def confusion_table(outcomes):
    """Rows of cells, the first is the head."""
    counted = confusion(outcomes)
    told = sorted({name for row in counted.values() for name in row})
    return [["expected \\ told", *told]] + [
        [wanted, *(str(row.get(name, "")) for name in told)] for wanted, row in counted.items()]


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def delays(outcomes):
    known = [each.delay_ms for each in outcomes if each.delay_ms is not None]
    return f"{median(known):.1f} / {max(known):.1f} ms" if known else "none measured"


def goals(outcomes, noise_alarms):
    """[(what, reached, at least, holds)] of the whole zoo."""
    rows = []
    for what, name, least in (("stalls detected", "detected", 1.0),
                              ("class right", "class_right", CLASS_SHARE),
                              ("root right", "root_right", ROOT_SHARE),
                              ("cycle verdict right", "cycle_right", 1.0)):
        good, judged = share(outcomes, name)
        rows.append((what, f"{good} of {judged}", f"{least:.0%}",
                     judged == 0 or good >= least * judged))
    alarms = sum(each.false_alarms for each in outcomes) + noise_alarms
    rows.append(("delay after onset + stall-after, median / max", delays(outcomes),
                 f"{DELAY_MS} ms", True))
    rows.append(("false alarms (quiet twins, before arming, healthy noise)", str(alarms), "0",
                 alarms == 0))
    return rows


def by_case(results):
    """[[case, runs, delay, detected, class, root, cycle, false alarms]] with a head."""
    rows = [["scenario", "runs", "delay, median / max", "detected", "class", "root", "cycle",
             "false alarms"]]
    for case, outcomes in results.items():
        cells = ["{} of {}".format(*share(outcomes, what)) if share(outcomes, what)[1] else "–"
                 for what in ("detected", "class_right", "root_right", "cycle_right")]
        rows.append([case, str(len(outcomes)),
                     delays(outcomes) if any(each.delay_ms is not None for each in outcomes)
                     else "–", *cells, str(sum(each.false_alarms for each in outcomes))])
    return rows


def as_text(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)


def as_markdown(rows):
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])
