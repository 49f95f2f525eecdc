# SPDX-License-Identifier: Apache-2.0
"""Judges what stallproof wrote. Pure: parsed JSON in, a list of problems out (empty: it holds), so
that selftest.py can show for each judgement that it fails on a bad document."""

STALL_CLASS = "mmap_lock_cycle"
VARIANTS = ("read-error", "invalidate")
FIXES = ("pin-at-submit", "split-pool", "no-writer")
ARMED_TO_LAST_OP_MS = 50
DETECTED_MS, DETECTED_MEDIAN_MS = 200, 120  # beyond onset + stall-after
EXPLAINED_MS = 50
HEALED_MS = 1000
READING = ("direct", "fault", "drop")  # ops that take mmap_lock for read; madvise drops pages


def number(document, *keys):
    """The number at a path of keys, or None: absent and null are both 'not measured'."""
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document if isinstance(document, (int, float)) and not isinstance(document, bool) \
        else None


def failing_stalls(verdict):
    return [stall for stall in verdict.get("stalls", []) if stall.get("failing")]


def reproduced(verdict, exit_code):
    """Exit 0, exactly one failing stall, and it has the class of the reported one."""
    problems = []
    if exit_code != 0:
        problems.append(f"exit {exit_code}, not 0")
    if verdict.get("exit_code") != exit_code:
        problems.append(f"verdict says exit_code {verdict.get('exit_code')}, it was {exit_code}")
    stalls = failing_stalls(verdict)
    if len(stalls) != 1:
        problems.append(f"{len(stalls)} failing stalls, not 1")
    problems += [f"class {stall.get('class')}, not {STALL_CLASS}" for stall in stalls
                 if stall.get("class") != STALL_CLASS]
    return problems


def dropouts_per_load(verdict):
    """Every load that ran has at least one dropout."""
    loads = set(verdict.get("workloads", {}))
    seen = {dropout.get("workload") for dropout in verdict.get("dropouts", [])}
    if not loads:
        return ["the verdict names no workload"]
    return [f"no dropout of {name}" for name in sorted(loads - seen)]


def span(verdict, begin, end):
    """timings.end - timings.begin in ms, or None."""
    first, last = number(verdict, "timings", begin), number(verdict, "timings", end)
    return None if first is None or last is None else last - first


def detection_delay(verdict, stall_after_ms):
    """Milliseconds from the earliest possible detection (onset + stall-after), or None."""
    stalls = failing_stalls(verdict)
    onset = number(stalls[0], "onset_ms") if stalls else None
    detected = number(stalls[0], "detected_ms") if stalls else None
    return None if onset is None or detected is None else detected - onset - stall_after_ms


def within(what, value, limit, at_least=None):
    """One span against its limits; what was not measured never holds."""
    if value is None:
        return [f"{what} is not in the verdict"]
    if at_least is not None and value < at_least:
        return [f"{what} {value:.1f}, cannot be under {at_least}"]
    return [f"{what} {value:.1f}, at most {limit}"] if value > limit else []


def timings(verdict, stall_after_ms):
    """The limits that hold in every single run."""
    return (
        within("detected ms after onset + stall-after", detection_delay(verdict, stall_after_ms),
               DETECTED_MS, at_least=-5)
        + within("explained ms after detected", span(verdict, "detected_ms", "explained_ms"),
                 EXPLAINED_MS, at_least=0)
        + within("healed ms after it was asked", span(verdict, "heal_asked_ms", "healed_ms"),
                 HEALED_MS, at_least=0))


def median_within(what, values, limit):
    """The median of what was measured in all runs; a run without the value breaks it."""
    if not values or any(value is None for value in values):
        return [f"{what} is missing in {sum(value is None for value in values)} of {len(values)}"]
    return within(f"median {what}", median(values), limit)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def explanation_is_true(explanation, truth, service_tgids):
    """What explain() said against the worker's and the service's own tables."""
    nodes = {node.get("id"): node for node in explanation.get("nodes", [])}
    root = explanation.get("root") or {}
    doing = {thread.get("tid"): str(thread.get("op", "")) for thread in truth.get("threads", [])
             if thread.get("in_flight")}
    hazards = {hazard.get("tid") for hazard in truth.get("open_hazards", [])}
    problems = []
    if explanation.get("class") != STALL_CLASS:
        problems.append(f"explained as {explanation.get('class')}")
    if not explanation.get("cycle"):
        problems.append("no cycle")
    holder = nodes.get(root.get("holder"), {}).get("tid")
    if holder is None or holder not in hazards:
        problems.append(f"holder tid {holder} has no second-try page read open ({sorted(hazards)})")
    writer = nodes.get(root.get("first_writer"), {}).get("tid")
    if "mprotect" not in doing.get(writer, ""):
        problems.append(f"first writer tid {writer} is not in mprotect ({doing.get(writer)})")
    return problems + readers_are_true(explanation, doing, service_tgids)


def readers_are_true(explanation, doing, service_tgids):
    readers = [node for node in explanation.get("nodes", [])
               if node.get("role") in ("queued_reader", "service")]
    problems = [] if readers else ["no queued reader or service thread is named"]
    for node in readers:
        op = doing.get(node.get("tid"), "")
        if node.get("tgid") in service_tgids:
            continue
        if node.get("role") == "service" or not any(word in op for word in READING):
            problems.append(f"{node.get('role')} tid {node.get('tid')} is neither a reading thread "
                            f"nor of the service (op {op or 'none'})")
    return problems


def stayed_quiet(verdict, exit_code, expected_code, fix):
    """No stall at all, although the hazard was entered and everybody worked in every second."""
    problems = []
    if exit_code != expected_code:
        why = "; ".join(map(str, verdict.get("reasons") or []))
        problems.append(f"exit {exit_code}, not {expected_code} ({why})")
    stalls = verdict.get("stalls")
    if stalls is None or stalls:
        problems.append("no list of stalls" if stalls is None else f"{len(stalls)} stalls")
    if not number(verdict, "hazard", "entered") and \
            (verdict.get("hazard") or {}).get("entered") is not True:
        problems.append("the hazard was not entered")
    rates = [("hazard", "per_second_min"), ("ffs", "page_reads_per_second_min"),
             ("ffs", "direct_reads_per_second_min")]
    # The service sees no mprotect: its rate is the load's own.
    writers = [name for name in verdict.get("workloads", {}) if "mprotect" in name]
    if fix != "no-writer":
        rates += [("workloads", name, "per_second_min") for name in writers or ["mprotect"]]
    for path in rates:
        value = number(verdict, *path)
        if value is None or value <= 0:
            problems.append(f"{'.'.join(path)} is {value}, must be over 0 in every second")
    return problems


def unknown_verdict(verdict, exit_code):
    """A lost process is never green and never a stall found."""
    problems = [] if exit_code == 3 else [f"exit {exit_code}, not 3"]
    if verdict.get("verdict") != "unknown":
        problems.append(f"verdict {verdict.get('verdict')}, not unknown")
    if not verdict.get("reasons"):
        problems.append("no reason is given")
    return problems


def blind_but_honest(verdict, explanation, text):
    """Without bpf(2): still the right class, nothing called exact, and the blindness is named."""
    problems = []
    edges = explanation.get("edges", [])
    if explanation.get("class") != STALL_CLASS:
        problems.append(f"explained as {explanation.get('class')}")
    wrong = [edge.get("certainty") for edge in edges if edge.get("certainty") != "inferred"]
    if wrong or not edges:
        problems.append(f"{len(wrong)} of {len(edges)} edges are not inferred")
    said = (str(verdict.get("reasons")) + str(verdict.get("observer"))
            + str(explanation.get("blind_spots")) + text).lower()
    if "bpf" not in said:
        problems.append("neither verdict nor explanation says that BPF was refused")
    return problems


def one_line_refusal(ended_code, out, err, code, words):
    """An error: its code, one line on stderr that has all the words, nothing on stdout."""
    lines = err.strip().splitlines()
    problems = [] if ended_code == code else [f"exit {ended_code}, not {code}"]
    if len(lines) != 1:
        problems.append(f"{len(lines)} lines on stderr, not 1")
    if out.strip():
        problems.append("something on stdout")
    problems += [f"'{word}' is not named" for word in words if word not in err]
    return problems
