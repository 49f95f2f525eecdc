# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a dashboard without asking a server: each judgement is a list of
sentences, empty when nothing is."""

import json
import os
import re

from program import TOP

FOLDER = os.path.join(TOP, "dashboards")
NAMES = ("soak.json", "incident.json", "fleet.json")
COLUMNS = 24
UNITS = {"short", "s", "h", "ops", "Bps", "percentunit"}
# Those of Grafana itself that we use.
BUILT_IN = {"__rate_interval", "__range", "__range_s"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
METRIC = re.compile(r"\bstallproof[_:][a-zA-Z0-9_:]+")
SELECTOR = re.compile(METRIC.pattern + r"(?:\{[^}]*\})?")
VARIABLE = re.compile(r"\$\{?(\w+)\}?")


def load(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as stream:
        return json.load(stream)


def shown(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board):
    """[(place, expression, instant)] of panels and annotations."""
    found = [(f"{board['title']}: {panel['title']}", each["expr"], each.get("instant", False))
             for panel in shown(board) for each in panel["targets"]]
    return found + [(f"{board['title']}: annotation {each['name']}", each["expr"], False)
                    for each in board["annotations"]["list"]]


def substituted(expr, window_s, rate_interval="4s"):
    """The expression as Grafana sends it when everything is chosen."""
    values = {"__rate_interval": rate_interval, "__range": f"{window_s}s",
              "__range_s": str(window_s)}
    return VARIABLE.sub(lambda match: values.get(match.group(1), ".*"), expr)


def metrics_of(expr):
    return set(METRIC.findall(expr))


def selectors_of(expr):
    return set(SELECTOR.findall(expr))


def grid(board):
    """Panels that lie over each other or beside the grid."""
    problems, taken = [], {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        if place["w"] < 1 or place["h"] < 1 or place["x"] < 0 or place["x"] + place["w"] > COLUMNS:
            problems.append(f"{panel['title']} is not within {COLUMNS} columns: {place}")
        cells = [(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])]
        over = sorted({taken[cell] for cell in cells if cell in taken})
        problems += [f"{panel['title']} lies over {other}" for other in over]
        taken.update(dict.fromkeys(cells, panel["title"]))
    return problems


def identities(board):
    ids = [panel["id"] for panel in board["panels"]]
    problems = [f"id {each} is used twice" for each in sorted(set(ids)) if ids.count(each) > 1]
    titles = [panel["title"] for panel in board["panels"]]
    return problems + [f"title '{each}' is used twice" for each in sorted(set(titles))
                       if titles.count(each) > 1]


def words(board):
    """Every panel has a title, a sentence that says what it shows, and a known unit."""
    problems = [] if board.get("description") else ["the dashboard has no description"]
    for panel in shown(board):
        if not panel.get("title") or len(panel.get("description", "")) < 15:
            problems.append(f"panel {panel['id']} has no title or no description")
        unit = panel["fieldConfig"]["defaults"].get("unit")
        if panel["targets"] and unit not in UNITS:
            problems.append(f"{panel['title']}: unit {unit} is not one of {sorted(UNITS)}")
        refs = [each["refId"] for each in panel["targets"]]
        if len(set(refs)) != len(refs):
            problems.append(f"{panel['title']}: two queries have one refId")
        if not panel["targets"] and panel["type"] != "text":
            problems.append(f"{panel['title']} has no query")
    return problems


def sources(board):
    """Everything asks the data source that is chosen."""
    variables = board["templating"]["list"]
    problems = [] if any(each["name"] == "datasource" and each["type"] == "datasource"
                         for each in variables) else ["there is no variable `datasource`"]
    asked = [*shown(board), *board["annotations"]["list"],
             *(each for panel in shown(board) for each in panel["targets"]),
             *(each for each in variables if each["type"] == "query")]
    return problems + [f"{each.get('title') or each.get('name') or each.get('expr')}: data source "
                       f"{each.get('datasource')}" for each in asked
                       if each.get("datasource") != SOURCE]


def choices(board):
    """No node is written down, and every query obeys the choice of nodes."""
    known = {each["name"] for each in board["templating"]["list"]} | BUILT_IN
    problems = []
    for place, expr, _ in queries(board):
        problems += [f"{place}: ${name} is not a variable" for name in VARIABLE.findall(expr)
                     if name not in known]
        problems += [f"{place}: {text} is written down" for text in
                     re.findall(r'\b(?:instance|job|load)\s*!?=~?\s*"(?!\$)[^"]*"', expr)]
        problems += [f"{place}: {selector} obeys no choice of nodes" for selector in
                     sorted(selectors_of(expr)) if 'instance=~"$instance"' not in selector]
    return problems


JUDGEMENTS = {
    "ids and titles are unique": identities, "no panel lies over another or beside the grid": grid,
    "every panel has title, description and unit": words,
    "everything asks the chosen data source": sources,
    "no node is written down, every query obeys the choice": choices}
