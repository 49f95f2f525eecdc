# SPDX-License-Identifier: Apache-2.0
"""A terminal to run the program at: a real pty, and a screen that shows what its bytes draw."""

import codecs
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


class Screen:
    """What a terminal of that size shows. Knows what the program may send; all else is kept in
    `unknown`. `wraps` counts lines that reached the last column."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.lines, self.row, self.column = [""], 0, 0
        self.wraps, self.unknown, self.coloured = 0, [], 0
        self.seen = set()
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest = ""

    def feed(self, data):
        text = self.rest + self.decoder.decode(data)
        self.rest = ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = ESCAPE.match(text, at)
                if match is None:
                    self.rest = text[at:]
                    return
                self.escape(*match.groups())
                at = match.end()
                continue
            self.letter(text[at])
            at += 1

    def escape(self, number, kind):
        if kind == "A":
            self.row = max(0, self.row - int(number or 1))
        elif kind == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif kind == "J":
            self.remember()
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        elif kind == "m":
            self.coloured += 1
        else:
            self.unknown.append(f"{number}{kind}")

    def letter(self, letter):
        if letter == "\r":
            self.column = 0
        elif letter == "\n":
            self.down()
        elif letter >= " ":
            if self.column >= self.width:
                self.wraps += 1
                self.column = 0
                self.down()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + letter + line[self.column + 1:]
            self.column += 1

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def remember(self):
        """Every line that was ever whole on the screen."""
        self.seen.update(line.rstrip() for line in self.lines if line.strip())

    def shown(self):
        """The last screen full."""
        return [line.rstrip() for line in self.lines][-self.height:]


class AtTerminal:
    """A program whose controlling terminal is a pty of that size. `stdout`: a file instead."""

    def __init__(self, words, width=80, height=24, stdout=None, environment=None):
        self.screen, self.data = Screen(width, height), b""
        self.began = time.monotonic()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            self.become(words, width, height, stdout, environment)
        self.resize(width, height)
        self.modes = None
        self.status = None

    @staticmethod
    def become(words, width, height, stdout, environment):
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            if stdout is not None:
                os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT, 0o644), 1)
            os.execvpe(words[0], words, environment or usual_environment())
        finally:
            os._exit(127)

    def resize(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def read_until(self, seconds, done=None):
        """Reads what comes, until `done(screen)` or the program ends or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                try:
                    data = os.read(self.master, 65536)
                except OSError as error:
                    if error.errno == errno.EIO:
                        self.wait_unread(deadline - time.monotonic())
                        break
                    raise
                self.data += data
                self.screen.feed(data)
                if done is not None and done(self.screen):
                    return True
            elif self.ended():
                break
        return done is not None and done(self.screen)

    def wait_unread(self, seconds):
        """Its end, while nobody reads the terminal."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.ended():
            time.sleep(0.05)
        return self.ended()

    def terminal_modes(self):
        return termios.tcgetattr(self.master)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == self.pid:
                self.status = status
        return self.status is not None

    @property
    def code(self):
        return os.waitstatus_to_exitcode(self.status) if self.status is not None else None

    def close(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            if not self.ended():
                os.kill(self.pid, number)
                self.read_until(5)
        os.close(self.master)


def usual_environment(**changes):
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("NO_COLOR", "LC_ALL", "LC_CTYPE")}
    environment.update(TERM="xterm-256color", LANG="C.UTF-8")
    environment.update(changes)
    return environment
