# SPDX-License-Identifier: Apache-2.0
"""The same dump in other forms: flattened; without a symbol table, read by System.map and a search
for BTF; as a kernel too old to be read; a module's names lost, taken from its .ko file; compressed
in a way that nobody knows. The explanation must be the same, or the refusal one clear line."""

import json
import os
import re
import shutil
import struct
import subprocess
import tempfile

from vmcore_explain import explain

PAGE = 4096
CHUNK = 64 << 20


def same(checks, name, ran, told):
    """The signature is the same, and nothing was missing."""
    if checks.check(f"{name}: explained", ran.code == 0 and ran.out, ran.err[-300:]):
        got = json.loads(ran.out)["signature"]
        checks.check(f"{name}: the same signature", got == told["signature"], got)


def one_line(checks, name, ran, words):
    lines = ran.err.strip().splitlines()
    checks.check(f"{name}: refused in one line that says what to do",
                 ran.code == 2 and len(lines) == 1 and all(word in lines[0] for word in words),
                 f"exit {ran.code}: {ran.err[-300:]}")


def replace_all(path, old, new):
    """In place, also across the ends of chunks; how often."""
    assert len(old) == len(new)
    count, at = 0, 0
    with open(path, "r+b") as file:
        while chunk := os.pread(file.fileno(), CHUNK + len(old) - 1, at):
            for found in re.finditer(re.escape(old), chunk):
                os.pwrite(file.fileno(), new, at + found.start())
                count += 1
            at += CHUNK
    return count


def erase_words(path, words):
    """Zeroes each where it stands between zeros; how often each did. A search for the bare word is
    the fast one: a dump is full of zeros."""
    counts = dict.fromkeys(words, 0)
    longest = max(len(word) for word in words) + 2
    at = 0
    with open(path, "r+b") as file:
        while chunk := os.pread(file.fileno(), CHUNK + longest, at):
            for word in words:
                place = chunk.find(word, 1)
                while place >= 0:
                    end = place + len(word)
                    if chunk[place - 1] == 0 and chunk[end:end + 1] == b"\0":
                        os.pwrite(file.fileno(), bytes(len(word)), at + place)
                        counts[word] += 1
                    place = chunk.find(word, end)
            at += CHUNK
    return counts


def flatten(path, into):
    """As makedumpfile -F writes it: pieces, each with its place and size."""
    with open(path, "rb") as dump, open(into, "wb") as out:
        out.write(struct.pack(">16sqq", b"makedumpfile", 1, 1).ljust(PAGE, b"\0"))
        at = 0
        while piece := dump.read(1 << 20):
            out.write(struct.pack(">qq", at, len(piece)) + piece)
            at += len(piece)
        out.write(struct.pack(">qq", -1, -1))


def system_map(kallsyms, into):
    """A System.map as the kernel's build would have left it: before KASLR, without modules."""
    with open(kallsyms, encoding="ascii") as lines:
        symbols = [line.split() for line in lines if "[" not in line]
    base = next(int(each[0], 16) for each in symbols if each[2] == "_stext")
    moved = base - 0xffffffff81000000
    with open(into, "w", encoding="ascii") as out:
        for address, kind, name in symbols:
            value = int(address, 16)
            out.write(f"{value - moved if value >= base else value:016x} {kind} {name}\n")


def without_symbols(checks, copy, kallsyms, told):
    found = replace_all(copy, b"SYMBOL(kallsyms_", b"SYMBOL(kallsymz_")
    checks.check("the dump's symbol table is hidden", found >= 6, str(found))
    one_line(checks, "without a symbol table", explain(copy), ["--crash-script", "--system-map"])
    if kallsyms:
        with tempfile.NamedTemporaryFile(suffix=".map") as text:
            system_map(kallsyms, text.name)
            ran = explain(copy, "--json", "--system-map", text.name)
        same(checks, "without a symbol table, by System.map", ran, told)
    # As 3.10 is. In a compressed dump its BTF is not found here.
    if replace_all(copy, b"\x9f\xeb\x01\x00\x18\x00\x00\x00", bytes(8)):
        one_line(checks, "with neither symbols nor BTF", explain(copy), ["--crash-script"])


def unknown_form(path):
    """Marks every page as compressed in a way that nobody knows. Where the table of pages lies:
    diskdump_mod.h of makedumpfile. How many pages there are."""
    with open(path, "r+b") as file:
        block, header, bitmap = struct.unpack("<iiI", os.pread(file.fileno(), 12, 428))
        second = (1 + header) * block + bitmap // 2 * block
        bits = os.pread(file.fileno(), bitmap // 2 * block, second)
        count = sum(byte.bit_count() for byte in bits)
        at = (1 + header + bitmap) * block
        table = bytearray(os.pread(file.fileno(), count * 24, at))
        for place in range(12, len(table), 24):
            table[place] |= 0x40
        os.pwrite(file.fileno(), table, at)
    return count


EVERYBODYS = {"init_module", "cleanup_module"}


def without_module_names(checks, copy, module, told):
    """The names of the module's functions are zeroed; its .ko file has them."""
    names = set(re.findall(r" [tT] (\S+)\n", subprocess.run(
        ["nm", module], capture_output=True, text=True, check=True).stdout)) - EVERYBODYS
    found = erase_words(copy, [name.encode() for name in names])
    checks.check("a name of the module is there", found.get(b"ffs_get_user_page", 0) >= 1,
                 str(found))
    ran = explain(copy, "--json")
    checks.check("without a module's names: says so", ran.code == 3 and "--modules" in ran.err,
                 f"exit {ran.code}: {ran.err[-300:]}")
    same(checks, "without a module's names, by --modules",
         explain(copy, "--json", "--modules", os.path.dirname(module)), told)


def check(checks, path, words, told):
    with tempfile.TemporaryDirectory(prefix="vmcore-", dir=os.path.dirname(path) or ".") as place:
        flat = os.path.join(place, "flat")
        flatten(path, flat)
        same(checks, "flattened", explain(flat, "--json"), told)
        with open(flat, "r+b") as file:
            file.truncate(os.path.getsize(flat) // 2)
        one_line(checks, "half of a flattened dump", explain(flat), ["flattened"])
        os.unlink(flat)
        copy = os.path.join(place, "vmcore")
        shutil.copyfile(path, copy)
        pages = unknown_form(copy)
        one_line(checks, "compressed in a form that nobody knows", explain(copy),
                 [f"{pages} of its {pages} pages", "--crash-script"])
        shutil.copyfile(path, copy)
        without_symbols(checks, copy, words.kallsyms, told)
        if words.module:
            shutil.copyfile(path, copy)
            without_module_names(checks, copy, words.module, told)
