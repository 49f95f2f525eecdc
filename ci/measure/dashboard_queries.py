# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with the queries of dashboards and rules when a server answers them: each
judgement is a list of sentences, empty when nothing is."""

import os
import re

import dashboard_files as files
from prometheus import QueryError

REFERENCE = re.compile(r"^\| `(stallproof_[a-z0-9_]+)`", re.M)


def queries_without_data(prometheus, board, window):
    """(problems, {place: [[(labels, samples)] of each query]}) of a dashboard over the window."""
    problems, answers = [], {}
    for place, expr, instant in files.queries(board):
        asked = files.substituted(expr, int(window[1] - window[0]))
        try:
            if instant:
                found = [(labels, [(window[1], value)])
                         for labels, value in prometheus.now(asked, window[1])]
            else:
                found = prometheus.series(asked, *window)
        except QueryError as error:
            problems.append(f"{place}: {error}: {asked}")
            continue
        if not any(value == value for _, samples in found for _, value in samples):
            problems.append(f"{place} has no data: {asked}")
        answers.setdefault(place, []).append(found)
    return problems, answers


def rules_without_data(prometheus, rules, window):
    """A rule whose series nobody exports would be quiet for ever."""
    problems = [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]
    seconds = int(window[1] - window[0]) + 1
    for rule in rules:
        problems += [f"{rule['name']} asks for {selector}, which was never there"
                     for selector in sorted(files.selectors_of(rule["query"]))
                     if not prometheus.now(f"last_over_time({selector}[{seconds}s])", window[1])]
    return problems


def alert_words(rules):
    """Severity, summary and description are there, and the action is a command of ours."""
    problems = []
    for rule in alerts(rules):
        said = rule["annotations"]
        if rule["labels"].get("severity") not in ("critical", "warning"):
            problems.append(f"{rule['name']}: severity {rule['labels'].get('severity')}")
        problems += [f"{rule['name']} has no {word}" for word in ("summary", "description")
                     if len(said.get(word, "")) < 15]
        if "`stallproof " not in said.get("action", ""):
            problems.append(f"{rule['name']} names no command of stallproof to use")
    return problems


def blind_to_injection(rules):
    return [f"{rule['name']} does not ask for stallproof_injection_active"
            for rule in alerts(rules) if "stallproof_injection_active" not in rule["query"]]


def alerts(rules):
    return [rule for rule in rules if rule["type"] == "alerting"]


def exported_names(series):
    """Names of metrics by those of their series; a histogram is one."""
    histograms = {name.removesuffix("_bucket") for name in series if name.endswith("_bucket")}
    parts = {each + part for each in histograms for part in ("_bucket", "_sum", "_count")}
    return {name for name in {*series, *histograms} - parts if name.startswith("stallproof_")}


def used_names(boards, rules):
    """Names of exported metrics that a dashboard or a rule asks for."""
    exprs = [expr for board in boards for _, expr, _ in files.queries(board)]
    found = set().union(*(files.metrics_of(expr)
                          for expr in [*exprs, *(rule["query"] for rule in rules)]))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found if ":" not in name}


def names_in_reference():
    with open(os.path.join(files.FOLDER, "README.md"), encoding="utf-8") as stream:
        return set(REFERENCE.findall(stream.read()))
