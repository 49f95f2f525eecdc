#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands and options that pipelines rely on, as --help, man pages and bash completion tell
them: all three the same, and none of the promised ones missing."""

import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "ci", "package")]

import man  # noqa: E402
from checks import Checks  # noqa: E402
from program import BINARY  # noqa: E402

EVERYWHERE = "--quiet"
COMMON = "--json -o --out"
WATCHED = (f"{COMMON} --stall-after --fail-after --dropout-below --label --on-stall --allow-crash "
           "--fs")
PROMISED = {
    "repro": f"{WATCHED} --variant --fix --param --expect --deadline --hold --from",
    "run": f"{WATCHED} --target --duration --size --engine --dry-run --until-stall --listen "
           "--linger --notify --json-lines --canary --preflight --accept-unclean",
    "vdbench": "-f -o -s -e -i -w -v -j --engine --no-jvm --canary --json",
    "watch": f"{WATCHED} --pid --mount --cgroup",
    "record": "--pid -o",
    "capture": "--pid --mount --sysrq -o --json",
    "explain": "--live --kmsg --crash-text --vmcore --fs --modules --bt --tasks --waiters --format "
               "-o --json --crash-script",
    "show": f"{COMMON} --at",
    "list": COMMON,
    "doctor": f"{COMMON} --target",
    "init": f"{COMMON} --target --plan",
    "help": "",
    "report": "-o --json",
    "gate": f"{COMMON} --baseline --known --min-hours --junit --summary-md --bisect",
    "judge": f"{COMMON} --stall-after --fail-after --dropout-below",
    "merge": "--expect-nodes --died --within --staggered -o --out --junit --summary-md --json",
    "mark": "--allow --for --json",
    "history": "",
    "postmortem": f"{COMMON} --run",
}
COMPLETION = os.path.join(TOP, "ci/package/completion/stallproof")
ASK = """
source {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_stallproof
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(*words):
    """What bash offers for the last of these words."""
    quoted = " ".join(shlex.quote(word) for word in (BINARY, *words))
    done = subprocess.run(["bash", "--norc", "-c", ASK.format(script=COMPLETION, words=quoted)],
                          capture_output=True, text=True, timeout=30, check=False)
    return set(done.stdout.split())


def options_of(told):
    """Every spelling of every option of one parsed --help."""
    return {word for words, _ in told["Options"]
            for word in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", words)}


def check_command(checks, name, pages):
    told = man.parse(man.shown(BINARY, name, "--help"))
    options = options_of(told)
    promised = f"{EVERYWHERE} {PROMISED.get(name, '')}".split()
    missing = [word for word in promised if word not in options]
    checks.all(f"{name}: --help has every option that is promised", missing)
    page = pages.get(f"stallproof-{name}.1", "").replace("\\-", "-")
    checks.all(f"{name}: its man page has every option", [
        word for word in sorted(options) if not re.search(rf"(?<![\w-]){re.escape(word)}\b", page)])
    offered = completed(name, "--") | completed(name, "-")
    checks.all(f"{name}: completion offers what --help says, and nothing else",
               sorted(offered ^ options))


def check_below(checks, name):
    """Subcommands of a command have what is everywhere too."""
    for below, _ in man.parse(man.shown(BINARY, name, "--help"))["Subcommands"]:
        options = options_of(man.parse(man.shown(BINARY, name, below, "--help")))
        checks.all(f"{name} {below}: --help has every option that is promised",
                   [word for word in EVERYWHERE.split() if word not in options])


def check_engine(checks):
    told = dict(man.parse(man.shown(BINARY, "run", "--help"))["Options"])
    for option in ("--engine", "--no-jvm", "--lenient", "--allow-claimed-device"):
        text = next((text for words, text in told.items() if option in words), "")
        checks.check(f"run {option}: --help says what it is for",
                     "Of vdbench's parameter files" in text, text)


def exit_codes_of_help():
    """{code, or command with codes of its own: meaning}."""
    found, code = {}, None
    for line in man.shown(BINARY, "help", "exit-codes").splitlines():
        row = re.match(r"(\d+|gate --bisect|watch -- COMMAND|vdbench)(?:: |  +)(.*)", line)
        if row:
            code = row[1]
            found[code] = row[2]
        elif line.startswith("  "):
            found[code] += " " + line.strip()
    return found


def exit_codes_of_readme():
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as stream:
        text = stream.read().split("`stallproof help exit-codes`:", 1)[-1]
    text = text.split("\n## ", 1)[0].replace("`", "")
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", text, re.M)
    return {code: meaning for code, meaning in rows if not set(code) <= set("-")
            and code not in ("code", "command")}


def check_exit_codes(checks):
    told, written = exit_codes_of_help(), exit_codes_of_readme()
    checks.all("README's exit codes are those of `help exit-codes`",
               [f"{code}: {told.get(code)} / {written.get(code)}"
                for code in sorted(set(told) | set(written))
                if told.get(code) != written.get(code)])
    checks.check("each code and command is in it", set(told) == {
        "0", "1", "2", "3", "77", "gate --bisect", "watch -- COMMAND", "vdbench"}, str(set(told)))


def check_values(checks):
    for words, wanted in ((("repro", ""), "mmap-lock-fault"), (("list", ""), "scenarios"),
                          (("repro", "fs-frozen", "--variant", ""), "frozen"),
                          (("run", "--engine", ""), "io_uring")):
        checks.check(f"completion of `{' '.join(words)}` offers {wanted}", wanted in
                     completed(*words), str(sorted(completed(*words)))[:200])


def check_pages(checks, pages):
    with tempfile.TemporaryDirectory() as folder:
        problems = []
        for name, text in pages.items():
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path],
                                  capture_output=True, text=True, timeout=60, check=False)
            if done.returncode != 0 or done.stderr.strip() or len(done.stdout) < 200:
                problems.append(f"{name}: {done.stderr.strip()[:160] or done.returncode}")
        checks.all("every man page is drawn without a warning", problems)


def main():
    with Checks("words", 180) as checks:
        pages = man.pages(BINARY)
        commands = [words for words, _ in man.parse(man.shown(BINARY, "--help"))["Subcommands"]]
        checks.all("every command that is promised is there",
                   sorted(set(PROMISED) - set(commands)))
        checks.all("every command is among the promised ones, with its options",
                   sorted(set(commands) - set(PROMISED)))
        checks.check("completion offers every command", set(commands) <= completed(""))
        for name in commands:
            check_command(checks, name, pages)
            check_below(checks, name)
        check_engine(checks)
        check_exit_codes(checks)
        check_values(checks)
        check_pages(checks, pages)
    return checks.code


if __name__ == "__main__":
    sys.exit(main())
