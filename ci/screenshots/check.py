#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation: every one that a document names is there, small, made by
make.py and not changed by hand since, and shows words that the program still says. Looks at names
and words only; makes nothing."""

import glob
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import hashlib  # noqa: E402
import json  # noqa: E402

from catalogue import FOLDER, LARGEST, MADE, PICTURES, TOP, path_of  # noqa: E402

NAMED = re.compile(r"(?:!\[[^\]]*\]\(|<img[^>]*\bsrc=\"|srcset=\")"
                   r"([^)\" ]+\.(?:png|svg|jpe?g|gif))")


def documents():
    found = glob.glob(os.path.join(TOP, "*.md"))
    for folder in ("workloads", "harness", "kmod-stub", "ci", "dashboards", "examples"):
        found += [path for path in glob.glob(os.path.join(TOP, folder, "**/*.md"), recursive=True)
                  if "/node_modules/" not in path]
    return sorted(found)


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def named_in(text):
    """Pictures that a document shows, but for those of other servers."""
    return [name for name in NAMED.findall(text) if "://" not in name]


def names(texts, there):
    """`texts`: {path of a document: its text}; `there`: whether a path exists."""
    problems = []
    for document, text in texts.items():
        for name in named_in(text):
            path = os.path.normpath(os.path.join(os.path.dirname(document), name))
            says = f"{os.path.relpath(document, TOP)} shows {name}, which"
            if not there(path):
                problems.append(f"{says} is not there")
            elif os.path.relpath(path, TOP) not in made_here():
                problems.append(f"{says} ci/screenshots/catalogue.py does not know")
    return problems


def made_here():
    return {os.path.join(FOLDER, each.name) for each in PICTURES}


def unused(texts, made):
    shown = {os.path.basename(name) for text in texts.values() for name in named_in(text)}
    return [f"{each.name} is shown in no document" for each in PICTURES
            if each.name in made and each.name not in shown]


def changed(made, content):
    """`made`: of made.json; `content`: bytes of a picture by name, or None."""
    problems = []
    for each in PICTURES:
        data = content(each.name)
        if data is None and each.name not in made:
            continue  # not made yet, and shown nowhere, else names() would say so
        if data is None:
            problems.append(f"{FOLDER}/{each.name} is not there: ci/screenshots/make.py "
                            f"{each.maker}")
        elif len(data) > LARGEST:
            problems.append(f"{each.name} has {len(data)} bytes, more than {LARGEST}")
        elif made.get(each.name, {}).get("sha256") != hashlib.sha256(data).hexdigest():
            problems.append(f"{each.name} is not what ci/screenshots/make.py made")
    return problems


def stale(text_of):
    """Words on a picture that its sources no longer say."""
    return [f"{each.name} shows '{word}', which {each.sources[0]} does not say any more: "
            f"ci/screenshots/make.py {each.maker}" for each in PICTURES
            for word in each.words if not any(word in text_of(source) for source in each.sources)]


def text_below(place):
    path = os.path.join(TOP, place)
    if os.path.isfile(path):
        return read(path)
    return "".join(read(each) for each in sorted(glob.glob(path + "/*.cpp")))


def content(name):
    try:
        with open(path_of(name), "rb") as stream:
            return stream.read()
    except OSError:
        return None


def main():
    if not os.path.isdir(os.path.join(TOP, FOLDER)):
        print(f"there is no {FOLDER}: ci/screenshots/make.py makes it")
        return 1
    texts = {path: read(path) for path in documents()}
    made = json.loads(read(path_of(MADE))) if os.path.exists(path_of(MADE)) else {}
    problems = [*names(texts, os.path.exists), *unused(texts, made), *changed(made, content),
                *stale(text_below)]
    for problem in problems:
        print(problem)
    print(f"{len(PICTURES)} pictures, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
