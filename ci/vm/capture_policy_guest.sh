# SPDX-License-Identifier: Apache-2.0
# The guest's part of capture_policy.py: runs each case and writes down what came of it, in /mnt. It
# judges nothing. Word: which part, `alone` (no crash kernel), `armed` (with one) or `crash`.
modprobe fuse

# run_case NAME COMMAND…: its exit code, its output, its run directory /mnt/NAME.
run_case() {
  name=$1
  shift
  "$@" -o "${place:-/mnt}/$name" >"/mnt/$name.out" 2>"/mnt/$name.err"
  echo "$?" >"/mnt/$name.code"
}

# repro NAME WORD…: the reported stall.
repro() {
  name=$1
  shift
  run_case "$name" stallproof repro mmap-lock-fault --deadline 40s "$@"
}

# small_disk SIZE: the cases that follow write their results there.
small_disk() {
  mkdir -p /tmp/small
  mount -t tmpfs -o "size=$1" small /tmp/small
  place=/tmp/small
}

settings() { cat /proc/sys/kernel/sysrq /proc/sys/kernel/printk >"/mnt/settings-$1"; }

alone() {
  echo 176 >/proc/sys/kernel/sysrq
  dmesg -n 4
  stallproof doctor >/mnt/doctor.out
  settings before
  repro sysrq --on-stall sysrq
  settings after
  repro no-leave --on-stall panic
  repro no-crash-kernel --on-stall panic --allow-crash
  repro only-leave --on-stall sysrq --allow-crash
  others
  no_answer
  killed
  small_disk 200k
  repro full --on-stall sysrq
  settings full
}

# Somebody else's load, and a plan whose worker is stopped for a while.
others() {
  run_case watched watch_a_stall
  cat >/tmp/storm.toml <<PLAN
[plan]
duration = "12s"
target = "/tmp"
[[process]]
  [[process.load]]
  workload = "mprotect-storm"
  threads = 4
PLAN
  stop_its_worker &
  run_case planned stallproof run /tmp/storm.toml --stall-after 500ms --on-stall sysrq
}

watch_a_stall() {
  stallproof watch "$@" --fail-after 1s --on-stall sysrq -- \
    stallproof repro mmap-lock-fault --deadline 40s -o /mnt/of-watched
}

stop_its_worker() {
  until grep -qs load_started /mnt/planned/events.jsonl; do usleep 50000; done
  worker=$(sed -n '/"watchdog"/d; s/.*"event":"child".*"pid":\([0-9]*\).*/\1/p' \
    /mnt/planned/events.jsonl)
  sleep 2
  kill -STOP $worker
  sleep 3
  kill -CONT $worker
}

# A kernel that takes the letters and says nothing.
no_answer() {
  touch /tmp/mute
  mount --bind /tmp/mute /proc/sysrq-trigger
  repro mute --on-stall sysrq
  umount /proc/sysrq-trigger
}

# The controller is killed while the settings are changed; the next command puts them back.
killed() {
  stallproof repro mmap-lock-fault --hold --on-stall sysrq -o /mnt/killed >/mnt/killed.out 2>&1 &
  controller=$!
  for _ in $(seq 3000); do
    [ "$(cat /proc/sys/kernel/sysrq)" = 176 ] || break
    usleep 5000
  done
  kill -9 "$controller"
  settings killed
  wait "$controller"
  run_case next stallproof watch --pid $$ --duration 1s
  settings next
  ls -A /run/stallproof >/mnt/leftovers 2>/dev/null
}

# Refused: no room; too short a stall; a crash kernel that has gone away in mid-run.
armed() {
  stallproof doctor >/mnt/doctor.out
  small_disk 4m
  repro no-room --on-stall panic --allow-crash
  place=/mnt
  run_case short stallproof repro fuse-server-hung --fail-after 30s --on-stall panic --allow-crash
  disarm_when_it_runs &
  repro disarmed --on-stall panic --allow-crash
}

disarm_when_it_runs() {
  while [ ! -e /mnt/disarmed/manifest.json ]; do usleep 10000; done
  kexec -p -u
  cat /sys/kernel/kexec_crash_loaded >/mnt/crash-kernel-after
}

crash() {
  repro panic --on-stall panic --allow-crash
}

"$1"
