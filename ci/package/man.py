#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""man pages out of the program's own --help: stallproof.1 and one for each command, so that they
cannot say anything else than the program does. What --help cannot tell is in man.d/NAME.roff."""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SECTION = re.compile(r"^(?P<name>Positionals|Options|Subcommands):$")
ENTRY = re.compile(r"^  (?P<words>\S.*?)(?:  +(?P<text>\S.*))?$")


def shown(program, *words):
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


def parse(text):
    """{summary, usage, Positionals, Options, Subcommands: [(words, text)]} of one --help."""
    lines = text.splitlines()
    found = {"summary": lines[0], "usage": "", "Positionals": [], "Options": [], "Subcommands": []}
    section = None
    for line in lines[1:]:
        heading = SECTION.match(line)
        entry = ENTRY.match(line)
        if line.startswith("Usage: "):
            found["usage"] = line[len("Usage: "):]
        elif heading:
            section = found[heading["name"]]
        elif section is not None and entry:
            section.append((entry["words"], entry["text"] or ""))
        elif section and line.strip():  # a long entry's text begins on a line of its own
            words, before = section[-1]
            section[-1] = (words, f"{before} {line.strip()}".strip())
    return found


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith(".") else text


def tagged(entries):
    return "".join(f".TP\n.B {escaped(words)}\n{escaped(text)}\n" for words, text in entries)


def more(name):
    path = os.path.join(HERE, "man.d", name + ".roff")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def heading(name, version, summary):
    title = name.upper().replace("-", "\\-")
    return (f".\\\" SPDX-License-Identifier: Apache-2.0\n.TH {title} 1 \"\" \"{version}\" "
            f"\"stallproof\"\n.SH NAME\n{escaped(name)} \\- {escaped(summary)}\n")


def command_page(name, version, told):
    page = heading("stallproof-" + name, version, told["summary"])
    page += f".SH SYNOPSIS\n.B {escaped(told['usage'])}\n"
    if told["Positionals"]:
        page += ".SH ARGUMENTS\n" + tagged(told["Positionals"])
    page += ".SH OPTIONS\n" + tagged(told["Options"]) + more("stallproof-" + name)
    return page + ".SH SEE ALSO\n.BR stallproof (1)\n"


def main_page(version, told, exit_codes):
    page = heading("stallproof", version, told["summary"])
    page += ".SH SYNOPSIS\n.B stallproof\n.I COMMAND\n[OPTIONS]\n"
    page += more("stallproof")
    page += ".SH COMMANDS\n" + "".join(
        f".TP\n.BR stallproof\\-{escaped(words)} (1)\n{escaped(text)}\n"
        for words, text in told["Subcommands"])
    page += ".SH OPTIONS\n" + tagged(told["Options"])
    return page + f".SH EXIT STATUS\n.nf\n{escaped(exit_codes)}.fi\n"


def pages(program):
    """{file name: text}"""
    version = shown(program, "--version").strip()
    told = parse(shown(program, "--help"))
    made = {"stallproof.1": main_page(version, told, shown(program, "help", "exit-codes"))}
    for name, _ in told["Subcommands"]:
        made[f"stallproof-{name}.1"] = command_page(name, version,
                                                    parse(shown(program, name, "--help")))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--out", required=True, help="directory")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for name, text in pages(options.program).items():
        with open(os.path.join(options.out, name), "w", encoding="utf-8") as stream:
            stream.write(text)


if __name__ == "__main__":
    sys.exit(main())
