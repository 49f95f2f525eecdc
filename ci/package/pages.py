#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages (*.md) of what is installed, for the places where they are installed: a link to what is
installed, too, leads there; one to anything else is its words alone."""

import argparse
import os
import re
import sys

LINK = re.compile(r"\[(?P<words>[^\]]*)\]\((?P<target>[^)#\s:]+)(?P<part>#[^)\s]*)?\)")


class Places:
    """{file or folder of the tree: where it is installed}; the longest that fits counts."""

    def __init__(self, tree, places):
        self.tree, self.places = tree, places

    def of(self, path):
        """(the place that holds a path of the tree, where the path is installed), or None."""
        for place in sorted(self.places, key=len, reverse=True):
            if path == place or path.startswith(place + "/"):
                rest = path[len(place):]
                return place, self.places[place] + rest
        return None

    def pages(self):
        """Every page of the tree that is installed."""
        for place in self.places:
            top = os.path.join(self.tree, place)
            if place.endswith(".md"):
                yield place
            for folder, _, names in os.walk(top):
                for name in sorted(names):
                    path = os.path.relpath(os.path.join(folder, name), self.tree)
                    if name.endswith(".md") and self.of(path)[0] == place:
                        yield path


def link_from(page, places, match):
    target = os.path.normpath(os.path.join(os.path.dirname(page), match["target"]))
    installed = places.of(target)
    if installed is None or not os.path.exists(os.path.join(places.tree, target)):
        return match["words"]
    here = os.path.dirname(places.of(page)[1])
    return f"[{match['words']}]({os.path.relpath(installed[1], here)}{match['part'] or ''})"


def installed_text(page, places):
    with open(os.path.join(places.tree, page), encoding="utf-8") as stream:
        return LINK.sub(lambda match: link_from(page, places, match), stream.read())


def out_path(page, places):
    """A folder for each place, named after it, as CMake looks for it."""
    place = places.of(page)[0]
    if page == place:
        return page.replace("/", "_")
    return os.path.join(place.replace("/", "_"), os.path.relpath(page, place))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--out", required=True, help="directory")
    parser.add_argument("places", nargs="+", metavar="PATH=INSTALLED")
    options = parser.parse_args()
    places = Places(options.tree, dict(place.split("=", 1) for place in options.places))
    for page in places.pages():
        path = os.path.join(options.out, out_path(page, places))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(installed_text(page, places))


if __name__ == "__main__":
    sys.exit(main())
