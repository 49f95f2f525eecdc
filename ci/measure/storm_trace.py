# SPDX-License-Identifier: Apache-2.0
"""What strace saw a worker's threads do to their memory map."""

import re
from collections import Counter, namedtuple

# at: seconds; arguments: list of strings; result: what it returned, as text.
Call = namedtuple("Call", "tid at name arguments result")

LINE = re.compile(r"^(\d+)\s+([\d.]+) (.*)$")
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\w+)")
RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
SPLIT = re.compile(r",\s*(?![^{\[]*[}\]])")


def calls(text):
    """Finished calls of `strace -f -ttt`, in the order in which they began to be printed whole."""
    begun, found = {}, []
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        tid, at, rest = int(match.group(1)), float(match.group(2)), match.group(3)
        resumed = RESUMED.match(rest)
        if rest.endswith("<unfinished ...>"):
            begun[tid] = at, rest[: -len("<unfinished ...>")].rstrip()
            continue
        if resumed and tid in begun:
            at, start = begun.pop(tid)
            rest = start + resumed.group(1)
        call = CALL.match(rest)
        if call:
            found.append(Call(tid, at, call.group(1), SPLIT.split(call.group(2)), call.group(3)))
    return found


def generations(found):
    """{tid: how many clones away from the first process it is}."""
    parents = {int(call.result): call.tid for call in found
               if call.name in ("clone", "clone3", "fork", "vfork") and call.result.isdigit()}

    def depth(tid):
        return 1 + depth(parents[tid]) if tid in parents else 0

    return {tid: depth(tid) for tid in {call.tid for call in found} | set(parents)}


def life_problems(life, stack_bytes):
    """What is wrong with the calls of one thread of thread-churn; empty when it is verbatim."""
    bottom = life[0].arguments[0] if life else "?"
    writable, fixed = "PROT_READ|PROT_WRITE", "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"
    wanted = [
        ("mmap", [bottom, "16384", writable, fixed, "-1", "0"]),
        ("mprotect", [bottom, "16384", "PROT_NONE"]),
        ("mmap", [bottom, "16384", "PROT_NONE", fixed + "|MAP_NORESERVE", "-1", "0"]),
        ("madvise", [bottom, str(stack_bytes - 24576), "MADV_DONTNEED"])]
    seen = [(call.name, call.arguments) for call in life]
    if seen != wanted:
        return [f"calls {seen}, not {wanted}"]
    return [f"{call.name} = {call.result}" for call in life if call.result.startswith("-")]


def shares(found):
    """{(call, bytes, protection or advice): share of all}."""
    counted = Counter((call.name, int(call.arguments[1]), call.arguments[2]) for call in found)
    return {key: number / len(found) for key, number in counted.items()}


def share_problems(found, wanted):
    """Shares that differ by more than 1 % and three standard errors from {key: share}."""
    seen, problems = shares(found), []
    for key, share in wanted.items():
        allowed = 0.01 + 3 * (share * (1 - share) / len(found)) ** 0.5
        if abs(seen.get(key, 0) - share) > allowed:
            problems.append(f"{key}: {seen.get(key, 0):.3f}, not {share:.3f} ± {allowed:.3f}")
    return problems
