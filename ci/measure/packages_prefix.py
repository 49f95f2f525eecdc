# SPDX-License-Identifier: Apache-2.0
"""`cmake --install` into a place of its own: the program runs from there, the units name it, and
the links of its pages lead to what is there."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

from program import TOP

LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")


def install_by_cmake(checks, preset):
    prefix = tempfile.mkdtemp(prefix="stallproof-prefix-")
    checks.at_end(lambda: shutil.rmtree(prefix, ignore_errors=True))
    done = subprocess.run(["cmake", "--install", os.path.join(TOP, "build", preset), "--prefix",
                           prefix], capture_output=True, text=True, timeout=120, check=False)
    if not checks.check("cmake --install", done.returncode == 0, done.stderr.strip()[-300:]):
        return
    told = subprocess.run([prefix + "/bin/stallproof", "--version"], capture_output=True, text=True,
                          timeout=20, check=False)
    checks.check("installed, the program runs", told.returncode == 0
                 and told.stdout.startswith("stallproof "), told.stdout + told.stderr)
    checks.all("its units name the program that is installed", foreign_programs(prefix))
    checks.all("links in its pages lead to what is installed", dangling_links(prefix))


def foreign_programs(prefix):
    units = glob.glob(prefix + "/lib/systemd/system/*.service")
    lines = [line for unit in units for line in text_of(unit).splitlines()
             if line.startswith("ExecStart=")]
    if len(lines) < 2:
        return [f"{len(lines)} lines with ExecStart="]
    return [line for line in lines if not line.startswith(f"ExecStart={prefix}/bin/stallproof ")]


def dangling_links(prefix):
    pages = glob.glob(prefix + "/share/**/*.md", recursive=True)
    links = [(page, link) for page in pages for link in LINK.findall(text_of(page))]
    if len(links) < 20:
        return [f"{len(links)} links in {len(pages)} pages"]
    return [f"{os.path.relpath(page, prefix)}: {link}" for page, link in links
            if not os.path.exists(os.path.join(os.path.dirname(page), link))]


def text_of(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()
