# SPDX-License-Identifier: Apache-2.0
# The guest's part of kmod.py: makes each case happen and writes down what is seen, in a folder per
# case below /mnt. It judges nothing. Words: how many stalls, seconds per fix, FIX:QUEUES…
stalls=$1 fix_seconds=$2
shift 2
debug=/sys/kernel/debug/ffs_stub

uptime_ms() { read -r now _ </proc/uptime; echo "${now%.*}${now#*.}0"; }

# load_module WORD…
load_module() { insmod /bin/ffs_stub.ko i_accept_hangs=1 "$@" || exit 1; }

# served: jobs that the service has answered so far.
served() {
  total=0
  while read -r name value; do
    case $name in page_reads | direct_reads) total=$((total + value)) ;; esac
  done <$debug/counters
  echo "$total"
}

# stacks FILE: every task's name, state and stack; the files that take no lock of the task.
stacks() {
  for task in /proc/[0-9]*/task/[0-9]*; do
    echo "== ${task##*/} $(cat "$task/comm") $(grep ^State "$task/status" | cut -f 2)"
    cat "$task/stack"
  done >"$1" 2>/dev/null
}

# What the kernel has said so far is kept for the last judgement.
keep_log() { dmesg -c >>/mnt/kmsg; }

blocked_tasks() {
  keep_log
  echo 1 >/proc/sys/kernel/sysrq
  echo w >/proc/sysrq-trigger
  dmesg -c >"$1"
}

# gone PID: within 5 s; 1 when it still is there.
gone() {
  for _ in $(seq 50); do
    [ -d "/proc/$1" ] || return 0
    case $(grep ^State "/proc/$1/status") in *Z*) return 0 ;; esac
    sleep 0.1
  done
  return 1
}

# wait_for_standstill: until nothing was served for a second, at most 10 s; when the last was.
wait_for_standstill() {
  began=$(uptime_ms) last=-1 moved=$began
  while :; do
    now=$(uptime_ms) count=$(served)
    [ "$count" = "$last" ] || { last=$count moved=$now; }
    [ $((now - moved)) -lt 1000 ] || { echo "stalled $((moved - began))"; return; }
    [ $((now - began)) -lt 10000 ] || { echo "moving $count"; return; }
    sleep 0.05
  done
}

# end_client FOLDER PID: killed, as only that dissolves the circle; then the module must unload.
end_client() {
  kill -9 "$2" 2>/dev/null
  gone "$2"
  echo "gone $?" >>"$1/end"
  wait "$2" 2>/dev/null
  rmmod ffs_stub
  echo "rmmod $?" >>"$1/end"
}

# stall_case NAME HEAL WORD…
stall_case() {
  folder=/mnt/$1 heal=$2
  shift 2
  mkdir -p "$folder"
  load_module "$@"
  stall_client 16 1 8 600 2>"$folder/client" &
  client=$!
  wait_for_standstill >"$folder/standstill"
  cp $debug/counters $debug/jobs "$folder"
  stacks "$folder/stacks"
  blocked_tasks "$folder/sysrq-w"
  if [ "$heal" = abort ]; then
    echo 1 >$debug/abort
    gone "$client"
    echo "healed $?" >>"$folder/end"
  fi
  end_client "$folder" "$client"
}

# fix_case FIX QUEUES: the same load for its time, the counters of every second. Beside it a second
# of ours takes a little longer, so it runs for as long as the last of them may.
fix_case() {
  folder=/mnt/fix-$1-$2
  mkdir -p "$folder"
  load_module fix="$1" queues="$2"
  stall_client 16 1 8 "$((fix_seconds + fix_seconds / 10 + 2))" 2>"$folder/client" &
  client=$!
  for second in $(seq "$fix_seconds"); do
    sleep 0.98
    cp $debug/counters "$folder/counters-$second"
  done
  gone "$client" || stacks "$folder/stacks"
  wait "$client"
  echo "client $?" >"$folder/end"
  rmmod ffs_stub
  echo "rmmod $?" >>"$folder/end"
}

# hold_case KIND: direct reads and mprotect while the lock is held, and after it was released.
hold_case() {
  # The spinning thread takes the last processor; we stay on the first.
  [ "$1" != spin ] || taskset -p 1 $$ >/dev/null
  folder=/mnt/hold-$1
  mkdir -p "$folder"
  load_module
  stall_client 0 1 2 600 2>"$folder/client" &
  client=$!
  sleep 0.5
  value=60
  case $1 in
    mmap_*) value="$client 60" ;;
    spin) value=15; echo 1 >/proc/sys/kernel/watchdog_thresh; keep_log ;;
  esac
  echo "$value" >"$debug/hold/$1"
  echo "held $?" >"$folder/progress"
  sleep 0.3
  cat "$debug/hold/$1" >"$folder/state"
  echo "before $(served)" >>"$folder/progress"
  if [ "$1" = spin ]; then sleep 4; dmesg -c >"$folder/kmsg"; else sleep 0.5; fi
  echo "while $(served)" >>"$folder/progress"
  stacks "$folder/stacks"
  blocked_tasks "$folder/sysrq-w"
  echo 0 >"$debug/hold/$1"
  sleep 0.5
  echo "after $(served)" >>"$folder/progress"
  end_client "$folder" "$client"
}

# What must be refused, each with the kernel's error number in words.
refusals() {
  mkdir -p /mnt/refused
  try() { name=$1; shift; "$@" >"/mnt/refused/$name" 2>&1; echo "code $?" >>"/mnt/refused/$name"; }
  try no-acceptance insmod /bin/ffs_stub.ko
  try fix insmod /bin/ffs_stub.ko i_accept_hangs=1 fix=nonsense
  try queues insmod /bin/ffs_stub.ko i_accept_hangs=1 queues=many
  try threads insmod /bin/ffs_stub.ko i_accept_hangs=1 threads=0
  load_module
  try no-process sh -c "echo 999999 > $debug/hold/mmap_read"
  try kernel-thread sh -c "echo 2 > $debug/hold/mmap_read"
  try too-long sh -c "echo 61 > $debug/hold/spin"
  try no-number sh -c "echo now > $debug/hold/mutex"
  try too-many-words sh -c "echo 1 2 3 > $debug/hold/mmap_write"
  try long-line sh -c "seq 100 > $debug/hold/mutex"
  # Whatever is held when the module goes is released by it.
  for kind in rwsem_write mutex semaphore completion sleep; do echo 600 >$debug/hold/$kind; done
  sleep 600 &
  echo "$! 600" >$debug/hold/mmap_write
  try unload-while-held rmmod ffs_stub
  dmesg >/mnt/refused/kmsg
}

export PATH=$PATH:/bin
refusals
for number in $(seq "$stalls"); do
  if [ $((number % 2)) = 1 ]; then queues=segment; else queues=shared; fi
  stall_case "stall-$number" kill queues=$queues
done
stall_case heal abort queues=segment
for case in "$@"; do fix_case "${case%:*}" "${case#*:}"; done
for kind in mmap_read mmap_write rwsem_read rwsem_write mutex semaphore completion sleep spin; do
  hold_case "$kind"
done
keep_log
