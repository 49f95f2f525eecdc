#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judgements about pictures judged, and the two drawers: a screen and a palette."""

import os
import struct
import sys
import unittest
import zlib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "measure")]

import check  # noqa: E402
import palette  # noqa: E402
from catalogue import FOLDER, PICTURES, TOP  # noqa: E402
from screen_picture import Painted, picture  # noqa: E402

FIRST = PICTURES[0].name
SHOWS = f"text ![a run]({FOLDER}/{FIRST}) more"


def png(rows, alpha=False, filters=0):
    """RGB or RGBA by filter 0 or 1 (left)."""
    step, raw = 4 if alpha else 3, bytearray()
    for row in rows:
        line = bytes(part for color in row for part in (*color, *([255] if alpha else [])))
        if filters == 1:
            line = bytes((value - (line[i - step] if i >= step else 0)) & 255
                         for i, value in enumerate(line))
        raw += bytes([filters]) + line
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 6 if alpha else 2, 0, 0, 0)
    return (palette.SIGNATURE + palette.chunk(b"IHDR", head)
            + palette.chunk(b"IDAT", zlib.compress(bytes(raw))) + palette.chunk(b"IEND", b""))


class Documents(unittest.TestCase):
    def test_pictures_that_documents_show_are_there_and_known(self):
        document = os.path.join(TOP, "README.md")
        self.assertEqual(check.names({document: SHOWS}, lambda path: True), [])
        self.assertTrue(check.names({document: SHOWS}, lambda path: False))
        self.assertTrue(check.names({document: '<img src="other.png">'}, lambda path: True))
        self.assertEqual(check.named_in("![x](https://example.org/a.png)"), [])

    def test_pictures_that_nobody_shows(self):
        names = {each.name for each in PICTURES}
        self.assertEqual(len(check.unused({"a": SHOWS}, names)), len(PICTURES) - 1)

    def test_a_picture_that_was_changed_is_missing_or_large(self):
        digest = check.hashlib.sha256(b"x").hexdigest()
        made = {each.name: {"sha256": digest} for each in PICTURES}
        self.assertEqual(check.changed(made, lambda name: b"x"), [])
        for data in (b"y", b"x" * (check.LARGEST + 1), None):
            self.assertEqual(len(check.changed(made, lambda name, data=data: data)), len(PICTURES))

    def test_words_that_are_said_no_more(self):
        every = "".join(word for each in PICTURES for word in each.words)
        self.assertEqual(check.stale(lambda source: every), [])
        self.assertTrue(check.stale(lambda source: "nothing"))


class Drawers(unittest.TestCase):
    def test_letters_keep_place_and_tone(self):
        screen = Painted(40, 10)
        screen.feed(b"plain \x1b[1;31mbad\x1b[0m  end\r\nnext\x1b[K\r\n")
        self.assertEqual(screen.rows(), [[(0, "plain ", ""), (6, "bad", "bad"), (11, "end", "")],
                                         [(0, "next", "")]])
        drawn = picture(screen.rows(), 40, 'run "<a>"')
        self.assertIn('class="bad"', drawn)
        self.assertIn("&lt;a&gt;", drawn)
        self.assertNotIn("<a>", drawn)

    def test_what_is_drawn_over_is_gone(self):
        screen = Painted(40, 10)
        screen.feed(b"one\r\ntwo\r\n\x1b[2A\x1b[Jthree\r\n")
        self.assertEqual(screen.rows(), [[(0, "three", "")]])

    def test_few_colours_are_kept_as_they_are(self):
        rows = [[(1, 2, 3), (250, 0, 9)], [(250, 0, 9), (250, 0, 9)]]
        for alpha in (False, True):
            for filters in (0, 1):
                small = palette.small(png(rows, alpha, filters))
                kinds = dict(palette.chunks(small))
                colors = kinds[b"PLTE"]
                raw = zlib.decompress(kinds[b"IDAT"])
                found = [[tuple(colors[3 * raw[y * 3 + 1 + x]:3 * raw[y * 3 + 1 + x] + 3])
                          for x in range(2)] for y in range(2)]
                self.assertEqual(found, rows)

    def test_many_colours_become_256(self):
        rows = [[(x, y, 128) for x in range(0, 256, 4)] for y in range(0, 256, 4)]
        kinds = dict(palette.chunks(palette.small(png(rows))))
        self.assertEqual(len(kinds[b"PLTE"]), 3 * palette.MOST)

    def test_what_is_no_png_is_refused(self):
        for data in (b"", b"GIF89a", palette.SIGNATURE):
            with self.assertRaises(palette.PngError):
                palette.pixels(data)


if __name__ == "__main__":
    unittest.main()
