# SPDX-License-Identifier: Apache-2.0
"""QEMU's own monitor: one command, one answer."""

import json
import os
import socket
import time

from errors import INFRASTRUCTURE, VmError


class Monitor:
    """Over a socket that QEMU makes; waits at most `seconds` for each answer."""

    def __init__(self, path, seconds):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(seconds)
        self.link.connect(path)
        self.lines = self.link.makefile("r", encoding="utf-8")
        self.lines.readline()  # the greeting
        self.ask("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.link.close()

    def ask(self, command, **arguments):
        asked = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self.link.sendall(json.dumps(asked).encode() + b"\n")
        while line := self.lines.readline():
            said = json.loads(line)
            if "error" in said:
                raise VmError(f"QEMU: {command}: {said['error']['desc']}", INFRASTRUCTURE)
            if "return" in said:
                return said["return"]
        raise VmError(f"QEMU: {command}: it has ended", INFRASTRUCTURE)


def wait_for(path, seconds):
    """False when the file has not come by then."""
    deadline = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
