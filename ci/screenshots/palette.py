# SPDX-License-Identifier: Apache-2.0
"""A PNG with at most 256 colours, as small as a page with few of them can be. Reads what Chromium
writes: 8 bits a channel, RGB or RGBA without transparency, not interlaced."""

import collections
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST = 256


class PngError(Exception):
    """No PNG that is understood here."""


def chunks(data):
    if not data.startswith(SIGNATURE):
        raise PngError("not a PNG")
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + size]
        at += 12 + size


def unfiltered(raw, height, stride, step):
    """The rows without PNG's five line filters."""
    rows, before = [], bytearray(stride)
    for row in range(height):
        begin = row * (stride + 1)
        kind, line = raw[begin], bytearray(raw[begin + 1:begin + 1 + stride])
        restore(kind, line, before, step)
        rows.append(line)
        before = line
    return rows


def restore(kind, line, above, step):
    if kind == 0:
        return
    for i, value in enumerate(line):
        left = line[i - step] if i >= step else 0
        up = above[i]
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            guess = paeth(left, up, above[i - step] if i >= step else 0)
        line[i] = (value + guess) & 0xff


def paeth(left, up, corner):
    base = left + up - corner
    by_left, by_up, by_corner = abs(base - left), abs(base - up), abs(base - corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner


def pixels(data):
    """(width, [[(r, g, b)] of each row])"""
    packed, head = b"", None
    for kind, body in chunks(data):
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
    if head is None or head[2] != 8 or head[3] not in (2, 6) or head[6] != 0:
        raise PngError("only RGB and RGBA of 8 bits, not interlaced")
    width, height, step = head[0], head[1], 3 if head[3] == 2 else 4
    rows = unfiltered(zlib.decompress(packed), height, width * step, step)
    return width, [[(line[i], line[i + 1], line[i + 2]) for i in range(0, width * step, step)]
                   for line in rows]


def nearest(color, palette):
    return min(range(len(palette)), key=lambda i: sum(
        (one - other) ** 2 for one, other in zip(color, palette[i])))


def chosen(rows):
    """The commonest colours, of those that are alike only one."""
    counts = collections.Counter(color for row in rows for color in row)
    palette = []
    for color, _ in counts.most_common():
        if len(palette) == MOST:
            break
        close = palette and sum((one - other) ** 2 for one, other in zip(
            color, palette[nearest(color, palette)])) < 48
        if not close or len(counts) <= MOST:
            palette.append(color)
    return palette


def chunk(kind, body):
    return (struct.pack(">I", len(body)) + kind + body
            + struct.pack(">I", zlib.crc32(kind + body)))


def small(data):
    """The same picture as a PNG of at most 256 colours."""
    width, rows = pixels(data)
    palette = chosen(rows)
    known = {color: number for number, color in enumerate(palette)}
    raw = bytearray()
    for row in rows:
        raw.append(0)
        for color in row:
            number = known.get(color)
            if number is None:
                number = known[color] = nearest(color, palette)
            raw.append(number)
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)
    return (SIGNATURE + chunk(b"IHDR", head)
            + chunk(b"PLTE", b"".join(bytes(color) for color in palette))
            + chunk(b"IDAT", zlib.compress(bytes(raw), 9)) + chunk(b"IEND", b""))
