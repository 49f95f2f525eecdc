# SPDX-License-Identifier: Apache-2.0
"""Grafana's dashboard model (schema 39, Grafana 10.4 and later), as far as our dashboards use it:
panels without ids and places, which `dashboard` gives them, so that none can overlap."""

SCHEMA = 39
COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RED, AMBER, GREEN, BLUE, GREY = "red", "orange", "green", "blue", "#8e8e8e"


def target(expr, legend="", instant=False, form="time_series"):
    """One query. `form`: time_series, table or heatmap."""
    return {"expr": expr, "legendFormat": legend or "__auto", "instant": instant,
            "range": not instant, "format": form, "editorMode": "code", "datasource": SOURCE}


def steps(*pairs):
    """Thresholds: (None, colour) first, then (from value, colour)."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color}
                                          for value, color in pairs]}


def names(**texts):
    """Value mappings: v0=("quiet", GREEN) shows 0 as a green `quiet`."""
    return [{"type": "value", "options": {
        key[1:]: {"text": text, "color": color, "index": index}
        for index, (key, (text, color)) in enumerate(texts.items())}}]


def panel(kind, title, description, targets, width, height, unit="short", **more):
    """`more`: options, custom (of fieldConfig), defaults, overrides, transformations, links."""
    for number, each in enumerate(targets):
        each["refId"] = chr(ord("A") + number)
    defaults = {"unit": unit, "custom": more.get("custom", {}), **more.get("defaults", {})}
    made = {"type": kind, "title": title, "description": description, "datasource": SOURCE,
            "targets": targets, "options": more.get("options", {}), "links": more.get("links", []),
            "fieldConfig": {"defaults": defaults, "overrides": more.get("overrides", [])},
            "gridPos": {"w": width, "h": height}}
    if "transformations" in more:
        made["transformations"] = more["transformations"]
    return made


def series(title, description, targets, width=12, height=8, unit="short", stack=False, fill=8,
           **defaults):
    """Lines over time. A gap in the data stays a gap: it means that nobody looked."""
    custom = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1,
              "fillOpacity": fill, "showPoints": "never", "spanNulls": False,
              "stacking": {"mode": "normal" if stack else "none", "group": "A"}}
    options = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, description, targets, width, height, unit, custom=custom,
                 options=options, defaults={"min": 0, **defaults})


def stat(title, description, targets, width=4, height=4, unit="short", thresholds=None, graph=True,
         **defaults):
    options = {"colorMode": "background", "graphMode": "area" if graph else "none",
               "justifyMode": "auto", "textMode": "auto",
               "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    shown = thresholds or steps((None, BLUE))
    return panel("stat", title, description, targets, width, height, unit, options=options,
                 defaults={"thresholds": shown, **defaults})


def states(title, description, targets, mappings, width=24, height=6):
    """One coloured bar per series and its value over time."""
    options = {"mergeValues": True, "showValue": "never", "rowHeight": 0.85,
               "alignValue": "left",
               "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
               "tooltip": {"mode": "single"}}
    return panel("state-timeline", title, description, targets, width, height, options=options,
                 custom={"fillOpacity": 80, "lineWidth": 0, "spanNulls": False},
                 defaults={"mappings": mappings, "thresholds": steps((None, GREEN), (1, RED))})


def heat_map(title, description, expr, width=12, height=8, unit="s"):
    options = {"calculate": False, "cellGap": 1, "yAxis": {"unit": unit, "axisPlacement": "left"},
               "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5,
                         "fill": "dark-orange"},
               "legend": {"show": True}, "tooltip": {"mode": "single", "yHistogram": False},
               "filterValues": {"le": 1e-9}}
    return panel("heatmap", title, description, [target(expr, "{{le}}", form="heatmap")], width,
                 height, unit, options=options)


def table(title, description, expr, columns, width=24, height=6, unit="short", mappings=(),
          links=()):
    """The labels of the newest samples as columns: {label: heading} in their order."""
    hidden = {"Time": True, "__name__": True, "job": "job" not in columns}
    order = {label: number for number, label in enumerate(columns)}
    arrange = {"id": "organize", "options": {
        "excludeByName": {name: gone for name, gone in hidden.items() if gone} |
                         ({} if "Value" in columns else {"Value": True}),
        "indexByName": order, "renameByName": dict(columns)}}
    defaults = {"mappings": list(mappings), "links": list(links)}
    return panel("table", title, description, [target(expr, instant=True, form="table")], width,
                 height, unit, options={"showHeader": True, "cellHeight": "sm"}, defaults=defaults,
                 transformations=[arrange])


def text(title, description, content, width=24, height=4):
    return panel("text", title, description, [], width, height,
                 options={"mode": "markdown", "content": content})


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [],
            "gridPos": {"w": COLUMNS, "h": 1}}


def data_source():
    return {"name": "datasource", "label": "Data source", "type": "datasource",
            "query": "prometheus", "current": {}, "hide": 0, "refresh": 1, "options": []}


def variable(name, label, query, many=True):
    """A variable with the values of a label; `many`: several or all may be chosen."""
    return {"name": name, "label": label, "type": "query", "datasource": SOURCE,
            "definition": query, "query": {"query": query, "refId": f"variable-{name}"},
            "refresh": 2, "sort": 1, "multi": many, "includeAll": many,
            "allValue": ".*" if many else None, "current": {}, "options": [], "hide": 0,
            "regex": ""}


def annotation(name, expr, color, title, text_format):
    """Bands over all panels while the expression has a sample."""
    return {"name": name, "datasource": SOURCE, "enable": True, "hide": False, "iconColor": color,
            "expr": expr, "step": "1s", "titleFormat": title, "textFormat": text_format,
            "useValueForTime": False}


def placed(panels):
    """Panels with ids and places: from left to right, a new line where one does not fit."""
    left = top = line = 0
    for number, each in enumerate(panels, 1):
        size = each["gridPos"]
        if left + size["w"] > COLUMNS:
            left, top, line = 0, top + line, 0
        each["id"] = number
        each["gridPos"] = {"x": left, "y": top, "w": size["w"], "h": size["h"]}
        left, line = left + size["w"], max(line, size["h"])
    return panels


def dashboard(uid, title, description, panels, variables, annotations=(), refresh="5s",
              since="now-30m", links=()):
    return {"uid": uid, "title": title, "description": description, "tags": ["stallproof"],
            "schemaVersion": SCHEMA, "version": 1, "editable": True, "graphTooltip": 1,
            "refresh": refresh, "time": {"from": since, "to": "now"}, "timezone": "browser",
            "timepicker": {"refresh_intervals": ["1s", "5s", "30s", "1m", "5m"]},
            "links": list(links), "annotations": {"list": list(annotations)},
            "templating": {"list": [data_source(), *variables]}, "panels": placed(panels)}


def dashboard_link(title, tag="stallproof"):
    return {"title": title, "type": "dashboards", "tags": [tag], "asDropdown": True,
            "includeVars": True, "keepTime": True, "icon": "external link", "targetBlank": False,
            "tooltip": "", "url": ""}
