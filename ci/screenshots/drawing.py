# SPDX-License-Identifier: Apache-2.0
"""Panels as SVG: lines, states, heat maps, numbers, tables and text, each within its box."""

import re
from collections import namedtuple
from xml.sax.saxutils import escape

FRAME, CELL = 12, 30
COLORS = ("#73bf69", "#5794f2", "#f2cc0c", "#ff9830", "#b877d9", "#8ab8ff", "#fade2a", "#f2495c")
NAMED = {"red": "#e02f44", "orange": "#ff9830", "green": "#37872d", "blue": "#3274d9"}
LINE, TEXT, FAINT, GROUND = "#2c3235", "#ccccdc", "#8e8e9a", "#181b1f"
SCALES = {"s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs")), "Bps": ((1e9, "GB/s"), (1e6, "MB/s"),
          (1e3, "kB/s"), (1, "B/s")), "ops": ((1e6, "M/s"), (1e3, "k/s"), (1, "/s")),
          "h": ((1, "h"), (1 / 60, "min"), (1 / 3600, "s")), "percentunit": ((0.01, "%"),),
          "short": ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""))}

Box = namedtuple("Box", "x y w h")


def shown(value, unit):
    scales = SCALES.get(unit, SCALES["short"])
    for size, name in scales:
        if abs(value) >= size or size == scales[-1][0]:
            return f"{value / size:.3g} {name}".strip()
    return f"{value:.3g}"


def text(x, y, words, color=TEXT, size=11, anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" '
            f'text-anchor="{anchor}">{escape(str(words))}</text>')


def rect(box, color, more=""):
    return (f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{max(box.w, 0.5):.1f}" '
            f'height="{max(box.h, 0.5):.1f}" fill="{color}" {more}/>')


def bands(board, answers):
    """[(second, colour)] of what is marked over all curves."""
    return [(at, NAMED.get(each["iconColor"], each["iconColor"]))
            for each in board["annotations"]["list"]
            for found in answers.get(f"{board['title']}: annotation {each['name']}", [])
            for _, samples in found for at, _ in samples]


def caption(words, x, y):
    return text(x, y, words, size=16)


def heading(words, box):
    return text(box.x, box.y + 19, "▾ " + words, size=13)


def legend(template, labels):
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match.group(1), ""), template).strip()


def all_series(panel, answers):
    """[(legend, samples)] of all queries, values that are no number left out."""
    return [(legend(each["legendFormat"], labels), [(at, v) for at, v in samples if v == v])
            for each, found in zip(panel["targets"], answers) for labels, samples in found]


def draw(panel, answers, box, begin, end):
    kinds = {"timeseries": lines, "stat": number, "state-timeline": states, "heatmap": heat,
             "table": table, "text": words}
    inner = Box(box.x + 8, box.y + 24, box.w - 16, box.h - 30)
    return (rect(box, GROUND, f'stroke="{LINE}" rx="2"')
            + text(box.x + 8, box.y + 16, panel["title"], size=12)
            + kinds[panel["type"]](panel, answers, inner, begin, end))


def lines(panel, answers, box, begin, end):
    found = all_series(panel, answers)
    top = max((v for _, samples in found for _, v in samples), default=0) or 1
    plot = Box(box.x + 56, box.y + 4, box.w - 60, box.h - 36)
    unit = panel["fieldConfig"]["defaults"]["unit"]
    second = plot.w / (end - begin)
    parts = [rect(Box(plot.x + (when - begin) * second, plot.y, second, plot.h), color,
                  'fill-opacity="0.25"') for when, color in panel["bands"] if when < end - 0.5]
    parts += [axis(plot, plot.y + plot.h * (1 - part), shown(top * part, unit))
              for part in (0, 0.5, 1)]
    for number_of, (_, samples) in enumerate(found):
        points = [(plot.x + plot.w * (at - begin) / (end - begin),
                   plot.y + plot.h * (1 - max(v, 0) / top), at) for at, v in samples]
        parts += [polyline(piece, COLORS[number_of % len(COLORS)]) for piece in pieces(points)]
    return "".join(parts) + keys(found, box)


def axis(plot, y, words_at):
    return (f'<path d="M{plot.x:.1f} {y:.1f}h{plot.w:.1f}" stroke="{LINE}"/>'
            + text(plot.x - 5, y + 4, words_at, FAINT, 10, "end"))


def pieces(points):
    """Split where a scrape is missing: a gap stays a gap."""
    piece = []
    for point in points:
        if piece and point[2] - piece[-1][2] > 1.5:
            yield piece
            piece = []
        piece.append(point)
    if piece:
        yield piece


def polyline(points, color):
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    return f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="1.5"/>'


def keys(found, box):
    parts, x = [], box.x
    for number_of, (name, _) in enumerate(found):
        width = 20 + 5.9 * len(name)
        if x + width > box.x + box.w:
            break
        parts.append(rect(Box(x, box.y + box.h - 10, 10, 3), COLORS[number_of % len(COLORS)])
                     + text(x + 14, box.y + box.h - 5, name, FAINT, 10))
        x += width
    return "".join(parts)


def color_of(panel, value):
    """(colour, text) by the panel's value mappings, else by its thresholds."""
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings", []):
        named = mapping["options"].get(f"{value:g}")
        if named:
            return NAMED.get(named["color"], named["color"]), named["text"]
    color = "blue"
    for step in defaults.get("thresholds", {}).get("steps", []):
        if step["value"] is None or value >= step["value"]:
            color = step["color"]
    return NAMED.get(color, color), shown(value, defaults["unit"])


def number(panel, answers, box, *_):
    latest = [(name, samples[-1][1]) for name, samples in all_series(panel, answers) if samples]
    parts, height = [], box.h / max(len(latest), 1)
    for at, (name, value) in enumerate(latest):
        color, said = color_of(panel, value)
        field = Box(box.x, box.y + at * height, box.w, height - 2)
        size = min(26, height * 0.62)
        parts.append(rect(field, color, 'rx="2"')
                     + text(field.x + 8, field.y + field.h / 2 + size / 3, said, "#ffffff", size)
                     + text(field.x + field.w - 6, field.y + field.h - 6, name, "#ffffff", 9,
                            "end"))
    return "".join(parts)


def states(panel, answers, box, begin, end):
    found = all_series(panel, answers)
    parts, height = [], min(box.h / max(len(found), 1), 34)
    for at, (name, samples) in enumerate(found):
        bar = Box(box.x + 190, box.y + at * height, box.w - 190, height - 4)
        parts.append(text(bar.x - 8, bar.y + bar.h / 2 + 4, name, FAINT, 10, "end"))
        width = bar.w / (end - begin)
        parts += [rect(Box(bar.x + (when - begin) * width, bar.y, width + 0.3, bar.h),
                       color_of(panel, value)[0]) for when, value in samples if when < end - 0.5]
    return "".join(parts)


def heat(panel, answers, box, begin, end):
    """Classes are cumulative in an answer: what is drawn is the growth from one to the next."""
    rows = sorted(((float(labels["le"].replace("+Inf", "inf")), dict(samples))
                   for labels, samples in answers[0]), key=lambda each: each[0])
    plot = Box(box.x + 56, box.y, box.w - 60, box.h)
    height, width = plot.h / max(len(rows), 1), plot.w / (end - begin)
    cells, before = [], {}
    for at, (edge, counts) in enumerate(rows):
        cells += [(when, at, counts[when] - before.get(when, 0)) for when in counts]
        before = counts
    top = max((count for _, _, count in cells if count == count), default=0) or 1
    parts = [rect(Box(plot.x + (when - begin) * width, plot.y + plot.h - (at + 1) * height,
                      width, height), "#ff9830", f'fill-opacity="{(count / top) ** 0.4:.2f}"')
             for when, at, count in cells if count > 0]
    parts += [text(plot.x - 5, plot.y + plot.h - (at + 0.3) * height,
                   "more" if edge == float("inf") else shown(edge, "s"), FAINT, 8, "end")
              for at, (edge, _) in enumerate(rows)]
    return "".join(parts)


def table(panel, answers, box, *_):
    names = panel["transformations"][0]["options"]["renameByName"]
    columns = list(names)
    step = box.w / len(columns)
    parts = [text(box.x + at * step, box.y + 12, names[label], FAINT)
             for at, label in enumerate(columns)]
    for line, (labels, samples) in enumerate(answers[0], 1):
        for at, label in enumerate(columns):
            judged = color_of(panel, samples[-1][1])[1]
            value = judged if label == "Value" else labels.get(label, "")
            parts.append(text(box.x + at * step, box.y + 14 + line * 18,
                              value[:int(step / 7)]))
    return "".join(parts)


def words(panel, _answers, box, *_):
    content = panel["options"]["content"].replace("|", "  ").replace("`", "")
    kept = [line.strip() for line in content.splitlines() if line.strip(" -")]
    return "".join(text(box.x, box.y + 14 + at * 17, line) for at, line in enumerate(kept))
