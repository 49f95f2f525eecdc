# SPDX-License-Identifier: Apache-2.0
"""Pages in Chromium: served from loopback, looked at by browser/look.mjs; what no page may do."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading

BROWSER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "browser")
POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"


class Pages(http.server.SimpleHTTPRequestHandler):
    """Files of one directory; below /policy/ with the policy of a careful CI server."""

    def end_headers(self):
        if self.path.startswith("/policy/"):
            self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def translate_path(self, path):
        return super().translate_path(path.removeprefix("/policy"))

    def log_message(self, *_):
        pass


def serve(directory, checks):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Pages, directory=directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    checks.at_end(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


def look(orders, space, seconds):
    """{name of order: what was seen}, by node and playwright-core."""
    path = space.new("orders")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump({"browser": shutil.which("chromium"), "orders": orders}, stream)
    done = subprocess.run(["node", os.path.join(BROWSER, "look.mjs"), path], capture_output=True,
                          timeout=seconds, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace")[-400:])
    return {result["name"]: result for result in json.loads(done.stdout)}


def silent(result, url):
    """What a page must not do: load anything, complain, or be wider than the window."""
    problems = []
    if "problem" in result:
        return [result["problem"]]
    others = [request for request in result["requests"] if request != url]
    if others:
        problems.append(f"{len(others)} requests: {others[0]}")
    if result["complaints"]:
        problems.append(f"{len(result['complaints'])} complaints: {result['complaints'][0][:200]}")
    seen = result["seen"]
    if seen["page_width"] > seen["window_width"]:
        problems.append(f"{seen['page_width']} pixels wide in {seen['window_width']}")
    if seen["images_without_words"] or seen["tables_without_headings"]:
        problems.append("a picture without words or a table without headings")
    return problems


def means_of_browser():
    """Why no browser can be driven here, or None."""
    for program in ("chromium", "node"):
        if shutil.which(program) is None:
            return f"{program} is not installed (ci/packages.txt)"
    if not os.path.isdir(os.path.join(BROWSER, "node_modules/playwright-core")):
        return "playwright-core is not installed (npm ci in ci/measure/browser)"
    return None
