# SPDX-License-Identifier: Apache-2.0
"""Reads what `stallproof record` wrote, and compares a profile with that of its replay. Pure: texts
in, lists of problems out."""

from collections import Counter, defaultdict

from judge import median

COLUMNS = "time_us thread call address length prot flags"
# What one Java thread does, from its birth to its end (JDK 17, serial collector).
LIFE = ("mmap 16384 rw", "mprotect 16384 none", "mmap 16384 none", "madvise 1024000 -", "exit - -")
MIX_SHARE = 0.03   # of all calls, by which the share of one kind may differ
MIX_SEEN = 0.002   # kinds rarer than this are chance
RATE_SHARE = 0.10
LIVES_SHARE = 0.03


class Profile:
    """header: {key: text}; rows: [(time_us, thread, "call length prot", child or None)]."""

    def __init__(self, text):
        lines = text.splitlines()
        end = lines.index(COLUMNS)
        self.header = dict(line.split(" ", 1) for line in lines[:end])
        self.rows = []
        for line in lines[end + 1:]:
            words = line.split()
            child = int(words[7][6:]) if len(words) > 7 and words[7].startswith("child=") else None
            self.rows.append((int(words[0]), int(words[1]), f"{words[2]} {words[4]} {words[5]}",
                              child))

    def seconds(self):
        return int(self.header["duration_us"]) / 1e6

    def rate(self):
        return len(self.rows) / self.seconds()

    def call_rate(self):
        """Without the ends of threads, which are events but no calls."""
        return sum(not kind.startswith("exit") for _, _, kind, _ in self.rows) / self.seconds()

    def shares(self):
        counted = Counter(kind for _, _, kind, _ in self.rows)
        return {kind: count / len(self.rows) for kind, count in counted.items()}

    def lives(self):
        """The calls of each thread that was born and ended while it was recorded."""
        born = {child for _, _, _, child in self.rows if child is not None}
        calls = defaultdict(list)
        for _, thread, kind, _ in self.rows:
            if thread in born:
                calls[thread].append(kind)
        return [tuple(each) for each in calls.values() if each[-1] == "exit - -"]

    def share_of_life(self, life=LIFE):
        lives = self.lives()
        return lives.count(life) / len(lives) if lives else 0.0

    def callers_per_second(self):
        seen = defaultdict(set)
        for time_us, thread, _, _ in self.rows:
            seen[time_us // 1_000_000].add(thread)
        whole = [len(seen[second]) for second in range(int(self.seconds()))]
        return median(whole) if whole else 0

    def spawners(self):
        """Threads that bore at least a twentieth of all."""
        bore = Counter(thread for _, thread, _, child in self.rows if child is not None)
        return sum(count >= sum(bore.values()) / 20 for count in bore.values())


def complete(profile):
    lost = int(profile.header["lost"])
    return [f"{lost} calls were lost"] if lost else []


def same_mix(recorded, replayed):
    """Each (call, length, prot) has the same share of all calls, but for a few per cent of them."""
    before, after = recorded.shares(), replayed.shares()
    problems = []
    for kind in sorted(set(before) | set(after)):
        first, second = before.get(kind, 0.0), after.get(kind, 0.0)
        if abs(first - second) > MIX_SHARE or (first > 10 * MIX_SEEN and second == 0):
            problems.append(f"'{kind}' is {first:.3f} of the calls, replayed {second:.3f}")
    return problems


def near(what, first, second, share):
    if first <= 0:
        return [f"{what}: nothing was recorded"]
    if abs(second - first) > share * first:
        return [f"{what}: {first:.1f}, replayed {second:.1f}"]
    return []


def same_rate(recorded, replayed):
    return near("calls a second", recorded.rate(), replayed.rate(), RATE_SHARE)


def same_callers(recorded, replayed):
    problems = near("callers a second", recorded.callers_per_second(),
                    replayed.callers_per_second(), RATE_SHARE)
    if recorded.spawners() != replayed.spawners():
        problems.append(f"{recorded.spawners()} threads bear others, replayed "
                        f"{replayed.spawners()}")
    return problems


def same_lives(recorded, replayed):
    """The sequence of calls within a thread: that of a Java thread, as often as it was recorded."""
    first, second = recorded.share_of_life(), replayed.share_of_life()
    problems = [] if first > 0.5 else [f"only {first:.3f} of the recorded threads live as known"]
    return problems + near("share of threads with the known sequence", first, second, LIVES_SHARE)
