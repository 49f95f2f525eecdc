# SPDX-License-Identifier: Apache-2.0
"""Reads a metrics endpoint as Prometheus would, and as bad clients do."""

import re
import socket
import time

SERIES = re.compile(r"^([a-z_]+)(\{.*\})? (\S+)$")
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def connect(port, seconds=5.0):
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def scrape(port, seconds=5.0):
    """(body, seconds it took from connecting to the last byte); raises OSError."""
    began = time.monotonic()
    with connect(port, seconds) as client:
        client.sendall(REQUEST)
        parts = []
        while part := client.recv(65536):
            parts.append(part)
    took = time.monotonic() - began
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise OSError(head[:80].decode(errors="replace"))
    return body.decode(), took


def many(port, count, pause_s=0.02):
    """([seconds of each scrape that was answered], last body)"""
    took, body = [], ""
    for _ in range(count):
        try:
            body, seconds = scrape(port)
            took.append(seconds)
        except OSError:
            pass
        time.sleep(pause_s)
    return took, body


def values(body):
    """{series with its labels: value}"""
    found = {}
    for line in body.splitlines():
        match = SERIES.match(line)
        if match:
            found[match.group(1) + (match.group(2) or "")] = float(match.group(3))
    return found


def port_free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, seconds, wanted):
    """The first body for whose values `wanted` holds, or "" at the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            body, _ = scrape(port)
            if wanted(values(body)):
                return body
        except OSError:
            pass
        time.sleep(0.05)
    return ""


def gone(port, seconds):
    """True when nobody listens any more before the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connect(port, 1).close()
        except OSError:
            return True
        time.sleep(0.05)
    return False


def falls(before, after):
    """Counters that are smaller than before, or have vanished."""
    return [series for series, value in before.items()
            if re.match(r"\w+(_total|_bucket|_count)\b", series)
            and not series.startswith("exposer_") and after.get(series, -1) < value]
