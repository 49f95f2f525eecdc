#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""report.html of ten hours and of a real run: small, made in a second, and in Chromium whole with
and without scripts, under a server's policy, in light and dark, on a narrow screen, by keyboard;
zoomed by mouse and buttons where scripts run. Nothing is loaded, nothing complains."""

import argparse
import html
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

from browser_look import look, means_of_browser, serve, silent  # noqa: E402
from checks import Checks, lacking_means  # noqa: E402
from program import BINARY, TOP, Workspace, run  # noqa: E402
from report_runs import LOADS, Made, make_ten_hours  # noqa: E402

CRASH = os.path.join(TOP, "examples/seed-crash")
# Without a JSON data block a page has no script: uPlot was not there when stallproof was built.
ZOOM = 'id="zoom-data"'
ZOOMABLE = 4  # times as long as the static page takes to be drawn, at most


def ten_hours(checks, space, pages, count):
    directory = space.new("ten-hours")
    make_ten_hours(directory)
    told = subprocess.run([BINARY, "explain", "--format", "json", *sorted(
        os.path.join(CRASH, name) for name in os.listdir(CRASH) if name.endswith(".txt"))],
        capture_output=True, timeout=60, check=False)
    with open(f"{directory}/incidents/001/explanation.json", "wb") as stream:
        stream.write(told.stdout)
    plain, zoom = os.path.join(pages, "plain.html"), os.path.join(pages, "zoom.html")
    makes = [Made(directory, plain, "--no-script") for _ in range(count)]
    zooms = [Made(directory, zoom) for _ in range(count)]
    made, zoomed = Made.median(makes), Made.median(zooms)
    checks.check("ten hours: a complete run is told without a complaint",
                 made.code == 0 and zoomed.code == 0 and not made.problems,
                 f"exit {made.code}, {zoomed.code}: {made.problems[:3]}")
    for what, value, limit, unit in (
            ("static page of 10 h, 5 loads", made.bytes / 1e3, 300, "KB"),
            ("the same with script", zoomed.bytes / 1e6, 1.3, "MB"),
            (f"made in, median of {count}", zoomed.seconds, 1.0, "s"),
            ("resident at most", max(each.mib for each in makes + zooms), 128, "MiB")):
        checks.check(f"ten hours: {what}", 0 < value <= limit, f"{value:.2f} {unit}")
        checks.row(what, f"{value:.2f} {unit}", f"{limit} {unit}")
    return directory


def call(*words):
    return subprocess.run([BINARY, "report", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False)


def form_of(checks, space, directory, ending, *words):
    """What `report -o FILE.ENDING` writes; empty where it does not."""
    path = space.new("form") + "." + ending
    done = call(directory, "-o", path, *words)
    text = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    checks.check(f"-o FILE.{ending}", done.returncode == 0 and text,
                 f"exit {done.returncode}: {done.stderr[:200]}")
    return text


def strings_of(value):
    """Every text in a JSON document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings_of(each)


def same_content(checks, space, directory, name):
    """What the page says of a run is in Markdown and JSON too. Returns the JSON document."""
    with open(f"{directory}/verdict.json", encoding="utf-8") as stream:
        verdict = json.load(stream)
    with open(f"{directory}/incidents/001/explanation.json", encoding="utf-8") as stream:
        told = json.load(stream)
    document = json.loads(form_of(checks, space, directory, "json") or "{}")
    page = form_of(checks, space, directory, "html", "--no-script")
    forms = {
        "page": html.unescape(re.sub(r"<[^>]*>", "", page)),
        "Markdown": html.unescape(re.sub(r"\\([^\sa-zA-Z0-9])", r"\1",
                                         form_of(checks, space, directory, "md"))),
        "JSON": "\n".join(strings_of(document))}
    labels = {node["id"]: node["label"] for node in told["nodes"]}
    stall = verdict["stalls"][0]
    facts = {"class": stall["class"], "signature": stall["signature"], "summary": told["summary"],
             "holder": labels[told["root"]["holder"]], "node": verdict["node"],
             "kernel": verdict["kernel"], "replay command": document.get("rerun")}
    facts.update({f"of the circle: {each}": labels[each] for each in told["cycle"]})
    facts.update({f"stack of {node['id']}": node["stack"][0]
                  for node in told["nodes"] if node["stack"]})
    lens = "BPF iterators" if verdict["observer"]["lens"] == "bpf" else "stacks and names only"
    dropouts = len(verdict["dropouts"])
    count = f"{dropouts} dropout" if dropouts else "No dropout"
    missing = [f"{form}: {what} ({fact})" for form, text in forms.items()
               for what, fact in facts.items() if fact and fact not in text]
    missing += [f"{form}: {fact}" for form in ("page", "Markdown") for fact in (lens, count)
                if fact not in forms[form]]
    missing += [f"JSON: {key}" for key in ("observer", "dropouts", "thresholds", "marks")
                if document.get(key) is None]
    if len(document.get("dropouts") or []) != dropouts:
        missing.append("JSON: the number of dropouts")
    if (document.get("observer") or {}).get("lens") != verdict["observer"]["lens"]:
        missing.append("JSON: the lens")
    checks.all(f"{name}: page, Markdown and JSON say the same", missing)
    return document


def other_forms(checks, space, directory):
    """Markdown, JSON and the graph of the same run, and one line for what cannot be done."""
    same_content(checks, space, directory, "ten hours")
    for ending, begins in (("md", b"# fail: "), ("json", b"{"), ("svg", b"<svg ")):
        path = space.new("form") + "." + ending
        done = call(directory, "-o", path)
        content = b""
        if os.path.exists(path):
            with open(path, "rb") as stream:
                content = stream.read()
        checks.check(f"-o FILE.{ending}", done.returncode == 0 and content.startswith(begins),
                     f"exit {done.returncode}: {done.stderr[:200]} {content[:40]}")
    done = call(directory, "--json")
    document = json.loads(done.stdout or b"{}")
    checks.check("--json tells the incident", done.returncode == 0
                 and [each["id"] for each in document.get("incidents", [])] == ["001"],
                 f"exit {done.returncode}")
    for name, words, said in (
            ("no run", ("/nonexistent",), "no such run (give a run directory"),
            ("no such form", (directory, "-o", "x.pdf"), "must end in .html"),
            ("no such incident", (directory, "-o", space.new("g") + ".svg", "--incident", "009"),
             "no incident 009 (one of: 001)"),
            ("no place", (directory, "-o", "/nonexistent/report.html"),
             "create /nonexistent/report.html: No such file or directory (make its directory")):
        done = call(*words)
        lines = done.stderr.decode(errors="replace").splitlines()
        checks.check(f"{name}: exit 2 or 3 and one line that says what to try",
                     done.returncode in (2, 3) and len(lines) == 1 and not done.stdout
                     and said in lines[0], f"exit {done.returncode}: {lines[:2]}")


def run_again(checks, space, command):
    """As somebody does who pastes it into a shell."""
    place = space.new("again")
    paths = os.pathsep.join([os.path.dirname(os.path.abspath(BINARY)), os.environ["PATH"]])
    done = subprocess.run(["sh", "-c", f"{command} -o {place}"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False,
                          env={**os.environ, "PATH": paths})
    thresholds = {}
    if os.path.exists(f"{place}/verdict.json"):
        with open(f"{place}/verdict.json", encoding="utf-8") as stream:
            thresholds = json.load(stream)["thresholds"]
    checks.check("a real stall: its replay command makes it again, with the same thresholds",
                 done.returncode == 0 and thresholds.get("stall_after_ms") == 1500,
                 f"{command}: exit {done.returncode}: {done.stderr[:300]} {thresholds}")


def real_run(checks, space, pages):
    """A stall of this machine's own kernel, with the report that the run itself wrote."""
    if lacking_means():
        checks.skip("the report of a real stall", lacking_means())
        return None
    ended = run(["repro", "mmap-lock-fault", "--label", "build=<b>7</b>", "--deadline", "1m",
                 "--stall-after", "1500ms"], space, 60)
    checks.check("a real stall: reproduced", ended.code == 0, ended.describe())
    page = os.path.join(ended.run_dir, "report.html")
    checks.check("a real stall: the run has written report.html itself", os.path.exists(page),
                 ended.describe())
    shutil.copy(page, os.path.join(pages, "real.html"))
    made = Made(ended.run_dir, os.path.join(pages, "real-plain.html"), "--no-script")
    checks.check("a real stall: stallproof report", made.code == 0,
                 f"exit {made.code}: {made.problems[:3]}")
    if ended.code == 0:
        document = same_content(checks, space, ended.run_dir, "a real stall")
        run_again(checks, space, document.get("rerun") or "false")
    return ended.incident("001").get("explanation.json")


def run_that_crashed(checks, space, directory):
    """As a controller leaves it that was killed: no verdict, the last row cut."""
    crashed, page = space.new("crashed"), space.new("page") + ".html"
    shutil.copytree(directory, crashed)
    os.remove(os.path.join(crashed, "verdict.json"))
    rows = os.path.join(crashed, "series/loads.csv")
    os.truncate(rows, os.path.getsize(rows) - 9)
    done = call(crashed, "-o", page, "--no-script")
    text = ""
    if os.path.exists(page):
        with open(page, encoding="utf-8") as stream:
            text = stream.read()
    checks.check("a run that crashed: its page says what is missing and shows the rest",
                 done.returncode in (0, 3) and all(part in text for part in (
                     "This run directory is not complete", "verdict.json is missing",
                     "Throughput of load-0", "Incident 001")),
                 f"exit {done.returncode}: {done.stderr[:200]} {len(text)} bytes")


def whole(seen):
    """What has to be there with scripts or without."""
    problems = []
    if seen["charts"] + seen["drawn"] < 3 * LOADS or seen["heats"] != LOADS:
        problems.append(f"{seen['charts']} charts, {seen['drawn']} drawn, {seen['heats']} heats")
    if "1 failing stall in 10.0 h: at most 0.474 per hour" not in seen["zero"]:
        problems.append(f"meaning: {seen['zero']}")
    if not any("22134" in text for text in seen["graph_nodes"]) or not seen["circle_edges"]:
        problems.append(f"graph: {seen['graph_nodes'][:6]}")
    return problems


def brightness(color):
    return sum(int(part) for part in color[4:-1].split(",")[:3]) / 3


def judge_ten_hours(checks, seen, base):
    for name in ("plain", "no scripts", "policy", "dark", "narrow"):
        checks.all(f"ten hours, {name}: nothing loaded, no complaint, fits",
                   silent(seen[name], base[name]))
        if "seen" in seen[name]:
            checks.all(f"ten hours, {name}: whole", whole(seen[name]["seen"]))
    light, dark = (brightness(seen[name]["seen"]["background"]) for name in ("plain", "dark"))
    checks.check("light is light and dark is dark", light > 200 and dark < 60, f"{light}, {dark}")
    keyed = seen["plain"]["answers"].get("open_by_keyboard")
    checks.check("the incident's graph closes and opens by keyboard",
                 keyed is not None and keyed["before"] != keyed["after"], str(keyed))
    drawn = max(seen[name]["drawn_ms"] for name in ("plain", "policy", "dark", "narrow"))
    checks.check("ten hours: static page drawn", drawn <= 1000, f"{drawn:.0f} ms")
    checks.row("static page drawn in Chromium, at most", f"{drawn:.0f} ms", "1000 ms")


def judge_zoom(checks, seen, base):
    zoom = seen["zoom"]
    checks.all("zoom: nothing loaded, no complaint, fits", silent(zoom, base["zoom"]))
    checks.check("zoom: drawn", zoom["drawn_ms"] <= 1000, f"{zoom['drawn_ms']:.0f} ms")
    checks.row("page with script drawn in Chromium, best of 3", f"{zoom['drawn_ms']:.0f} ms",
               "1000 ms")
    # Beside the same charts without a script: a slow machine is slow with both.
    ratio = zoom["zoomable_ms"] / seen["plain"]["drawn_ms"]
    checks.check("zoom: soon possible in what is in view", ratio <= ZOOMABLE, f"{ratio:.2f} times")
    checks.row("charts in view can be zoomed, against the static page drawn",
               f"{zoom['zoomable_ms']:.0f} ms, {ratio:.2f} times", f"{ZOOMABLE} times")
    answers = zoom["answers"]
    checks.check("zoom: dragging over a fifth of ten hours shows two hours",
                 shown_hours(answers["zoom"]) in (1, 2), answers["zoom"])
    checks.check("zoom: the cursor reads values",
                 "/s" in zoom["seen"]["title"] or any(digit in answers["cursor"]
                                                      for digit in "123456789"), answers["cursor"])
    checks.check("zoom: every chart that came into view can be zoomed",
                 zoom["seen"]["drawn"] == 3 * LOADS, f"{zoom['seen']['drawn']} of {3 * LOADS}")
    # A policy that lets no script run leaves the static page, and says so for each script.
    refused = seen["zoom under policy"]
    checks.all("zoom under a policy without scripts: whole", whole(refused["seen"]))
    loud = [line for line in refused["complaints"] if "Content Security Policy" not in line]
    checks.all("zoom under a policy without scripts: only the refusal is told", loud)


def shown_hours(words):
    begin, end = (int(part.split(":")[0]) for part in words.split(" – "))
    return (end - begin) % 24


def judge_real(checks, result, url, explanation):
    checks.all("a real stall: nothing loaded, no complaint, fits", silent(result, url))
    nodes = {node["id"]: node["label"] for node in explanation["nodes"]}
    circle = [nodes[each] for each in explanation["cycle"]]
    drawn = result["seen"]["graph_nodes"]
    checks.check("a real stall: the graph's boxes are the circle, in order", drawn == circle,
                 f"{drawn} instead of {circle}")
    words = " ".join(result["seen"]["graph_text"])
    queued = [edge["from"] for edge in explanation["edges"]
              if edge["to"] == explanation["root"]["lock"] and edge["kind"] == "waits_for"]
    checks.check("a real stall: all that queue are in the graph",
                 queued and all(nodes[each] in words for each in queued[:16]), words[:200])


def orders_for(base, zoomed, real):
    orders = [
        {"name": "plain", "url": f"{base}/plain.html", "timed": True,
         "steps": [["open_by_keyboard", "Who waits for whom"]]},
        {"name": "no scripts", "url": f"{base}/plain.html", "scripts": False},
        {"name": "policy", "url": f"{base}/policy/plain.html"},
        {"name": "dark", "url": f"{base}/plain.html", "scheme": "dark"},
        {"name": "narrow", "url": f"{base}/plain.html", "width": 360}]
    if zoomed:
        orders += [
            {"name": "zoom", "url": f"{base}/zoom.html", "zooms": True, "timed": True,
             "steps": [["zoom", None], ["cursor", None], ["scroll_through", None]]},
            {"name": "zoom without scripts", "url": f"{base}/zoom.html", "scripts": False},
            {"name": "zoom under policy", "url": f"{base}/policy/zoom.html"}]
    if real:
        orders += [{"name": "real", "url": f"{base}/real.html"},
                   {"name": "real narrow", "url": f"{base}/real.html", "width": 360,
                    "scheme": "dark"}]
    return orders


def browse(checks, space, pages, explanation, shots):
    with open(os.path.join(pages, "zoom.html"), encoding="utf-8") as stream:
        zoomed = ZOOM in stream.read()
    base = serve(pages, checks)
    orders = orders_for(base, zoomed, explanation is not None)
    for order in orders:
        if shots:
            order["shot"] = os.path.join(shots, order["name"].replace(" ", "-") + ".png")
    seen = look(orders, space, 150)
    urls = {order["name"]: order["url"] for order in orders}
    judge_ten_hours(checks, seen, urls)
    checks.check("uPlot is embedded (npm ci in harness/sink/report/uplot, then build)", zoomed,
                 "the page has no script")
    if zoomed:
        judge_zoom(checks, seen, urls)
        checks.all("zoom with scripts off: whole", whole(seen["zoom without scripts"]["seen"]))
    for name in ("real", "real narrow"):
        if name in seen:
            judge_real(checks, seen[name], urls[name], explanation)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--makes", type=int, default=3, help="how often each page is made")
    parser.add_argument("--shots", help="keep pictures of the pages in this directory")
    parser.add_argument("--may-skip-browser", action="store_true",
                        help="without Chromium or playwright-core: skip instead of fail")
    options = parser.parse_args()
    space = Workspace()
    with Checks("report", 400) as checks:
        checks.at_end(space.remove)
        pages = space.new("pages")
        os.mkdir(pages)
        directory = ten_hours(checks, space, pages, options.makes)
        other_forms(checks, space, directory)
        run_that_crashed(checks, space, directory)
        explanation = real_run(checks, space, pages)
        lack = means_of_browser()
        if lack and options.may_skip_browser:
            checks.skip("in a browser", lack)
        elif checks.check("a browser can be driven", not lack, lack):
            browse(checks, space, pages, explanation, options.shots)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
