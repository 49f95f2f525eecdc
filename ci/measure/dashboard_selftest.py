#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judgements about dashboards judged: each accepts a good dashboard and refuses the bad one."""

import copy
import sys
import unittest

sys.dont_write_bytecode = True

import dashboard_files as files  # noqa: E402
import dashboard_queries as queries  # noqa: E402

EXPR = 'rate(stallproof_ops_total{job=~"$job",instance=~"$instance"}[$__rate_interval])'


def panel(number, left, top=0):
    return {"id": number, "type": "timeseries", "title": f"Panel {number}",
            "description": "What this panel shows.", "datasource": files.SOURCE,
            "gridPos": {"x": left, "y": top, "w": 12, "h": 8},
            "fieldConfig": {"defaults": {"unit": "ops"}},
            "targets": [{"refId": "A", "expr": EXPR, "datasource": files.SOURCE}]}


def variable(name):
    return {"name": name, "type": "query", "datasource": files.SOURCE}


BOARD = {"title": "t", "description": "What this dashboard is for.",
         "panels": [panel(1, 0), panel(2, 12)], "annotations": {"list": []},
         "templating": {"list": [{"name": "datasource", "type": "datasource"}, variable("job"),
                                 variable("instance")]}}
ALERT = {"type": "alerting", "name": "A", "labels": {"severity": "critical"},
         "query": "x unless stallproof_injection_active == 1",
         "annotations": {"summary": "something is the matter", "action": "run `stallproof show`",
                         "description": "what that means for you"}}
RECORD = {"type": "recording", "name": "a:b", "query": "stallproof_ops_total"}


class Answering:
    """A server that has one series of one value."""

    def __init__(self, has, value=1.0):
        self.has, self.value = has, value

    def now(self, expr, _at=None):
        return [({}, self.value)] if self.has in expr else []

    def series(self, expr, *_):
        return [({}, [(0, self.value)])] if self.has in expr else []


def with_panel(**changes):
    board = copy.deepcopy(BOARD)
    board["panels"][1].update(copy.deepcopy(changes))
    return board


def with_expr(expr):
    return with_panel(targets=[{"refId": "A", "expr": expr, "datasource": files.SOURCE}])


class Files(unittest.TestCase):
    def refuses(self, judge, board, word):
        self.assertEqual(judge(BOARD), [])
        found = judge(board)
        self.assertTrue(any(word in problem for problem in found), found)

    def test_identities(self):
        self.refuses(files.identities, with_panel(id=1), "id 1")
        self.refuses(files.identities, with_panel(title="Panel 1"), "twice")

    def test_grid(self):
        self.refuses(files.grid, with_panel(gridPos={"x": 11, "y": 0, "w": 12, "h": 8}), "over")
        self.refuses(files.grid, with_panel(gridPos={"x": 13, "y": 8, "w": 12, "h": 8}), "within")
        self.refuses(files.grid, with_panel(gridPos={"x": 0, "y": 8, "w": 0, "h": 8}), "within")

    def test_words(self):
        self.refuses(files.words, with_panel(description=""), "no description")
        self.refuses(files.words, with_panel(fieldConfig={"defaults": {"unit": "sec"}}), "sec")
        self.refuses(files.words, with_panel(targets=[]), "no query")
        self.refuses(files.words, with_panel(targets=2 * panel(1, 0)["targets"]), "refId")

    def test_sources(self):
        self.refuses(files.sources, with_panel(datasource={"type": "prometheus", "uid": "x"}), "x")
        board = copy.deepcopy(BOARD)
        del board["templating"]["list"][0]
        self.refuses(files.sources, board, "no variable")

    def test_choices(self):
        for expr, word in ((EXPR.replace("$instance", "node1:9464"), "written down"),
                           (EXPR.replace("$job", "$cluster"), "not a variable"),
                           ("sum(stallproof_ops_total)", "obeys no choice")):
            self.refuses(files.choices, with_expr(expr), word)

    def test_substitution(self):
        self.assertEqual(
            files.substituted('a{i=~"$instance"}[$__rate_interval] + $__range_s + b[$__range:1s]',
                              60),
            'a{i=~".*"}[4s] + 60 + b[60s:1s]')

    def test_selectors(self):
        self.assertEqual(files.selectors_of('stallproof_a{x="1"} + stallproof:b:c and up'),
                         {'stallproof_a{x="1"}', "stallproof:b:c"})


class Queries(unittest.TestCase):
    def test_a_query_without_data(self):
        window = (0.0, 10.0)
        self.assertEqual(queries.queries_without_data(Answering("ops"), BOARD, window)[0], [])
        for server in (Answering("nothing"), Answering("ops", float("nan"))):
            problems, _ = queries.queries_without_data(server, BOARD, window)
            self.assertEqual(len(problems), 2)

    def test_a_rule_without_data(self):
        window = (0.0, 10.0)
        self.assertEqual(queries.rules_without_data(Answering("ops"), [RECORD], window), [])
        self.assertTrue(queries.rules_without_data(Answering("bytes"), [RECORD], window))
        failed = [{**RECORD, "lastError": "many-to-many"}]
        self.assertTrue(queries.rules_without_data(Answering("ops"), failed, window))

    def test_words_of_alerts(self):
        self.assertEqual(queries.alert_words([ALERT, RECORD]), [])
        for word in ("summary", "description", "action"):
            bad = copy.deepcopy(ALERT)
            del bad["annotations"][word]
            self.assertEqual(len(queries.alert_words([bad])), 1, word)
        self.assertTrue(queries.alert_words([{**ALERT, "labels": {}}]))

    def test_injection(self):
        self.assertEqual(queries.blind_to_injection([ALERT, RECORD]), [])
        self.assertTrue(queries.blind_to_injection([{**ALERT, "query": "x"}]))

    def test_names(self):
        series = ["stallproof_a_count", "stallproof_b_bucket", "stallproof_b_sum",
                  "stallproof_b_count", "stallproof:c", "up"]
        self.assertEqual(queries.exported_names(series), {"stallproof_a_count", "stallproof_b"})
        self.assertEqual(queries.used_names([BOARD], [RECORD, {"query": "stallproof_x_bucket"}]),
                         {"stallproof_ops_total", "stallproof_x"})


if __name__ == "__main__":
    unittest.main()
