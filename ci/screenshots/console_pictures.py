# SPDX-License-Identifier: Apache-2.0
"""The live console: the bytes of real runs at a real terminal, drawn."""

import own_view
from screen_picture import Painted, picture
from terminal import AtTerminal, usual_environment

WIDTH, HEIGHT = 96, 22
RUN = ("run", "--target", "/mnt/data", "--size", "40m", "--duration", "40s")
STALL = ("repro", "mmap-lock-fault", "--hold", "--deadline", "40s")
INTERRUPT = b"\x03"


class NothingShown(Exception):
    """The run did not come to show what the picture is of."""


def shown(command, wanted, seconds):
    """The screen `seconds` after a line of it had `wanted`; the run is ended."""
    program = AtTerminal(own_view.words(command), WIDTH, HEIGHT,
                         environment=own_view.environment(usual_environment()))
    program.screen = Painted(WIDTH, HEIGHT)
    try:
        found = program.read_until(
            40, lambda screen: any(wanted in line for line in screen.lines))
        if not found:
            raise NothingShown(f"{command[0]}: no '{wanted}' on the screen: {program.screen.lines}")
        program.read_until(seconds)
        return program.screen.rows()
    finally:
        program.type(INTERRUPT)
        program.read_until(20)
        program.close()


def typed(command):
    return "stallproof " + " ".join(command)


def make(_space, out):
    """Writes them; `out`: place of a picture by its name."""
    for name, command, wanted, seconds in (("console-run.svg", RUN, "last ", 14),
                                           ("console-stall.svg", STALL, "standing", 4)):
        with open(out(name), "w", encoding="utf-8") as stream:
            stream.write(picture(shown(command, wanted, seconds), WIDTH, typed(command)))
