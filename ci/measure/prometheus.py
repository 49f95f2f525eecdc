# SPDX-License-Identifier: Apache-2.0
"""A Prometheus of one's own: on loopback, in a directory of the workspace, ended by its pid."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from program import TOP, read_text

RULES = [os.path.join(TOP, "dashboards/rules", name) for name in ("recording.yml", "alerts.yml")]
RULE_TESTS = os.path.join(TOP, "dashboards/rules/test")
CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: {rules}
scrape_configs:
  - job_name: stallproof
    static_configs:
      - targets: {targets}
"""


def lacking_programs():
    """What is not installed, or None."""
    lacking = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    return f"{lacking[0]} is not installed (package prometheus)" if lacking else None


def free_ports(count):
    """Ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class QueryError(Exception):
    """An expression that Prometheus refuses."""


class Prometheus:
    def __init__(self, targets, workspace):
        self.base = workspace.new("prometheus")
        os.mkdir(self.base)
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        config = os.path.join(self.base, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(CONFIG.format(rules=json.dumps(RULES), targets=json.dumps(targets)))
        # As on a machine of its own: the loads do not take its turns.
        with open(self.base + ".log", "wb") as log:
            self.process = subprocess.Popen(
                ["chrt", "--rr", "1", "prometheus", f"--config.file={config}",
                 f"--storage.tsdb.path={self.base}/data", f"--web.listen-address={self.url[7:]}",
                 "--log.level=warn"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.began = time.time()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)

    def wait_ready(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + "/-/ready", timeout=2):
                    return True
            except OSError:
                time.sleep(0.1)
        return False

    def last_words(self):
        return read_text(self.base + ".log").strip()[-300:]

    def ask(self, path, **parameters):
        """The `data` of an answer of /api/v1/PATH."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            raise QueryError(text[:300]) from None

    def series(self, expr, begin, end, step=1):
        """[(labels, [(time, value)…])] of an expression over a window."""
        found = self.ask("query_range", query=expr, start=begin, end=end, step=step)["result"]
        return [(each["metric"], [(at, float(value)) for at, value in each["values"]])
                for each in found]

    def now(self, expr, at=None):
        """[(labels, value)] of an expression at one moment."""
        moment = {} if at is None else {"time": at}
        result = self.ask("query", query=expr, **moment)
        if result["resultType"] == "scalar":
            return [({}, float(result["result"][1]))]
        return [(each["metric"], float(each["value"][1])) for each in result["result"]]

    def wait_for(self, expr, seconds):
        """True as soon as the expression has a sample."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.now(expr):
                return True
            time.sleep(0.2)
        return False

    def rules(self):
        """[{name, query, type, labels, annotations…}]"""
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]


def promtool(*words):
    """(exit code, output)"""
    ended = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60,
                           check=False)
    return ended.returncode, (ended.stdout + ended.stderr).strip()
