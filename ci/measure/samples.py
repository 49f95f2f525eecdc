# SPDX-License-Identifier: Apache-2.0
"""Good documents for selftest.py, written by hand after the formats that stallproof writes."""

VERDICT = {
    "verdict": "pass", "exit_code": 0, "reasons": [],
    "stalls": [{"id": "1", "class": "mmap_lock_cycle", "failing": True, "onset_ms": 2010.0,
                "detected_ms": 3100.0}],
    "dropouts": [{"workload": "a", "start_ms": 2010.0}, {"workload": "b", "start_ms": 2010.0}],
    "workloads": {"a": {"ops": 10}, "b": {"ops": 20}},
    "timings": {"armed_ms": 2005.0, "last_op_ms": 2010.0, "detected_ms": 3100.0,
                "explained_ms": 3120.0, "heal_asked_ms": 3130.0, "healed_ms": 3140.0}}

# The worker is 100 with threads 101 to 103; the service is 900 with thread 901.
EXPLANATION = {
    "class": "mmap_lock_cycle", "cycle": ["task:101", "task:901", "lock:mm"],
    "root": {"holder": "task:101", "first_writer": "task:102", "lock": "lock:mm"},
    "nodes": [{"id": "task:101", "tid": 101, "tgid": 100, "role": "holder"},
              {"id": "task:102", "tid": 102, "tgid": 100, "role": "queued_writer"},
              {"id": "task:103", "tid": 103, "tgid": 100, "role": "queued_reader"},
              {"id": "task:901", "tid": 901, "tgid": 900, "role": "service"}],
    "edges": [{"from": "task:102", "to": "lock:mm", "certainty": "exact"}]}

TRUTH = {
    "threads": [{"tid": 101, "load": "fault", "op": "page fault", "in_flight": True},
                {"tid": 102, "load": "mprotect", "op": "mprotect", "in_flight": True},
                {"tid": 103, "load": "direct", "op": "direct read", "in_flight": True}],
    "open_hazards": [{"tid": 101, "offset": 4096}]}

QUIET = {
    "verdict": "fail", "exit_code": 1, "stalls": [],
    "hazard": {"entered": 120, "per_second_min": 10},
    "ffs": {"page_reads_per_second_min": 100, "direct_reads_per_second_min": 900},
    "workloads": {"mprotect-storm": {"per_second_min": 50}}}


def map_profile(lost=0, prot="none", step_us=1000, swapped=False, lives=100):
    """Text of a map profile: thread 0 bears `lives` threads in 100 steps, each lives as in Java."""
    life = ["mmap 0x7f0000000000 16384 rw private|fixed|anonymous",
            f"mprotect 0x7f0000000000 16384 {prot} -",
            "mmap 0x7f0000000000 16384 none private|fixed|anonymous|noreserve",
            "madvise 0x7f0000000000 1024000 - dontneed", "exit - - - -"]
    if swapped:
        life[1], life[2] = life[2], life[1]
    rows = []
    for each in range(1, lives + 1):
        at = each * step_us * 10
        rows.append(f"{at} 0 clone - - - 0x3d0f00 child={each}")
        rows += [f"{at + number} {each} {call}" for number, call in enumerate(life, 1)]
    return "\n".join((
        "stallproof-map-profile 1", "comm java", "kernel 6.18", "started 2026-11-25T20:00:00Z",
        f"duration_us {step_us * 1000}", f"threads {lives + 1}", f"calls {len(rows)}",
        f"lost {lost}", "failed 0", "left_out 0", "time_us thread call address length prot flags",
        *rows)) + "\n"

METRICS = """# HELP stallproof_lock_cycles_total Circles.
# TYPE stallproof_lock_cycles_total counter
stallproof_lock_cycles_total 1
stallproof_stalls_detected_total{source="no-progress"} 1
stallproof_stalls_total{class="mmap_lock_cycle",source="no-progress"} 1
stallproof_stall_age_seconds 6.5
stallproof_lock_waiters{lock="mmap_lock",mode="write"} 2
stallproof_lock_waiters{lock="mmap_lock",mode="read"} 18
stallproof_run_active 1
stallproof_oldest_inflight_seconds{workload="direct-read"} 7
"""

COUNTERS = """stallproof_ops_total{workload="r",op="read"} 3
stallproof_ops_total{workload="r",op="sync"} 1
stallproof_bytes_total{workload="r",op="read"} 4096
stallproof_bytes_total{workload="r",op="sync"} 0
stallproof_op_errors_total{workload="r",errno_class="io"} 1
stallproof_op_errors_total{workload="r",errno_class="space"} 0
"""
VERDICT_OF_COUNTERS = {"workloads": {"r": {"ops": 4, "bytes": 4096, "errors": 1}}}
