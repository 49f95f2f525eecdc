# SPDX-License-Identifier: Apache-2.0
"""What ci/measure/nightly.py makes and reads: run directories of nights long ago, units, and the
shell lines of pipelines."""

import glob
import json
import os
import re
import shutil
import subprocess
import time

from program import TOP, read_json

UNITS = sorted(glob.glob(os.path.join(TOP, "ci/nightly/systemd/*")))
DAY_S = 86400


def copied_run(model, runs, name, night="20260101-210000", incident=None):
    """A run directory as `model`, of another night (None: run by hand), with one incident of that
    signature or none."""
    directory = os.path.join(runs, name)
    shutil.copytree(model, directory)
    with open(directory + "/run.id", "w", encoding="utf-8") as stream:
        stream.write(name + "\n")
    verdict = read_json(directory + "/verdict.json")
    verdict["run"] = name
    verdict["labels"] = {"build": "6", **({"night": night} if night else {})}
    with open(directory + "/verdict.json", "w", encoding="utf-8") as stream:
        json.dump(verdict, stream)
    shutil.rmtree(directory + "/incidents")
    if incident:
        folder = directory + "/incidents/001"
        os.makedirs(folder)
        with open(folder + "/incident.json", "w", encoding="utf-8") as stream:
            json.dump({"id": "001", "class": "x", "signature": incident, "onset_ms": 1,
                       "detected_ms": 2, "resolved_ms": 3, "loads": [], "sources": [],
                       "support": [], "blocked_tasks": 1, "cycle_confirmed": False}, stream)
        with open(folder + "/stacks.txt", "w", encoding="utf-8") as stream:
            stream.write("made by a test\n")
    return directory


def age_run(directory, seconds):
    then = time.time() - seconds
    os.utime(directory + "/verdict.json", (then, then))


def unit_problems(units, folder, program):
    """What `systemd-analyze verify` says of them, with the program where it is on this machine."""
    os.makedirs(folder)
    for unit in units:
        with open(unit, encoding="utf-8") as stream:
            text = stream.read().replace("/usr/bin/stallproof", program)
        with open(os.path.join(folder, os.path.basename(unit)), "w", encoding="utf-8") as stream:
            stream.write(text)
    paths = [os.path.join(folder, os.path.basename(unit)) for unit in units]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True,
                          text=True, timeout=60, check=False)
    # Of units that are not ours it may complain, too: of a program that is not installed here.
    said = [line for line in done.stderr.splitlines() if "stallproof" in line]
    if done.returncode != 0 and not said:
        said = [f"exit {done.returncode}: {done.stderr.strip()[-300:]}"]
    return said


def jenkins_shell(text):
    """The shell steps of a Jenkinsfile, as Groovy gives them to the shell."""
    return [step.replace("\\\n", "") for step in re.findall(r"\bsh '''\n(.*?)'''", text, re.S)]


def one_spelling(steps):
    """What the steps do, without the differences that each pipeline's format makes."""
    text = re.sub(r"\s+", " ", " ".join(steps).replace("\\\n", " ")).strip()
    text = text.replace('"$GITHUB_STEP_SUMMARY"', "gate.md")
    return text.replace("rm -rf results gate.xml gate.md", "rm -rf results gate.xml")


def shell_steps(steps, folder, environment):
    """Runs them one after the other as a pipeline does, up to the first that fails."""
    done = None
    for step in steps:
        done = subprocess.run(["bash", "-e", "-c", step], cwd=folder, capture_output=True,
                              text=True, timeout=120, check=False,
                              env={**os.environ, **environment})
        if done.returncode != 0:
            break
    return done
