# SPDX-License-Identifier: Apache-2.0
# The guest's part of zoo.py: runs each line of /mnt/cases (NAME|PREPARE|WORDS of repro) and writes
# down what came of it, in a folder per case below /mnt. It judges nothing.
export PATH=$PATH:/bin:/sbin
ln -sf /bin/mkfs.ext4 /sbin/mkfs.ext4
ln -sf /bin/modprobe /sbin/modprobe  # where the kernel looks for it

# What a run may have left: devices, mounts, its own folder, what the module holds.
look() {
  ls /sys/block | grep -v -E '^(loop|nbd)[0-9]+$'
  for file in /sys/block/*/loop/backing_file /sys/block/nbd*/pid; do
    [ -e "$file" ] && echo "$file $(cat "$file")"
  done
  ls /sys/kernel/config/nullb 2>/dev/null
  ls /run
  grep -v -E ' /mnt | /control ' /proc/mounts
  for name in threads portlist versions nfsv4gracetime; do
    cat "/proc/fs/nfsd/$name" 2>/dev/null
  done
  for file in /sys/kernel/debug/ffs_stub/abort /sys/kernel/debug/ffs_stub/hold/*; do
    [ -e "$file" ] && echo "$file $(cat "$file")"
  done
  for status in /proc/[0-9]*/status; do
    sed -n 's/^Name:\t\(sp-.*\|stallproof\)$/process \1/p' "$status"
  done
  cat /sys/fs/fuse/connections/*/waiting 2>/dev/null
}

# load_ffs FIX: the module as it is asked for, and nothing if it is there so.
load_ffs() {
  [ "$(cat /sys/module/ffs_stub/parameters/fix 2>/dev/null)" = "$1" ] && return
  rmmod ffs_stub 2>/dev/null
  insmod /bin/ffs_stub.ko i_accept_hangs=1 fix="$1"
}
mounted() { grep -q " $1 " /proc/mounts; }
load_dm() { modprobe -a loop dm_mod ext4; }
load_null() {
  load_dm
  modprobe configfs
  modprobe null_blk nr_devices=0
  mounted /sys/kernel/config || mount -t configfs none /sys/kernel/config
}
load_nbd() { modprobe nbd; }
load_fuse() {
  modprobe -a fuse loop
  mounted /sys/fs/fuse/connections || mount -t fusectl none /sys/fs/fuse/connections
}
load_nfs() {
  modprobe -a nfsd nfsv4
  mounted /proc/fs/nfsd || mount -t nfsd none /proc/fs/nfsd
}
load_nothing() { :; }

# run_case NAME WORD…
run_case() {
  folder=/mnt/$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  look >"$folder/before"
  for turn in 1 2 3; do
    rm -rf /tmp/run
    stallproof repro "$@" --json -o /tmp/run >"$folder/verdict" 2>"$folder/stderr"
    printf 'code %s\nturns %s\n' "$?" "$turn" >"$folder/end"
    # The host took the guest's processors away: nothing was seen, so it is done again.
    grep -q '(observer gap)' "$folder/verdict" || break
  done
  # What ends a moment later (a device's last reference, a killed thread) is no leftover.
  for _ in $(seq 30); do
    look >"$folder/after"
    cmp -s "$folder/before" "$folder/after" && break
    sleep 0.1
  done
  cp -r /tmp/run "$folder/run" 2>/dev/null
  rm -rf /tmp/run
}

stacks_of_ours() {
  for task in /proc/[0-9]*/task/[0-9]*; do
    grep -q '^Name:.sp-' "${task%/task/*}/status" || continue
    echo "== ${task##*/} $(cat "$task/comm") $(grep ^State "$task/status")"
    cat "$task/stack"
  done
}

# killed_case NAME WORD…: held, and everything of ours killed while it stands; the next start undoes
# it (here: of a scenario that needs nothing).
killed_case() {
  folder=/mnt/$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  look >"$folder/before"
  : >"$folder/stderr"
  stallproof repro "$@" --hold -o /tmp/run </dev/null >"$folder/stderr" 2>&1 &
  held=$!
  for _ in $(seq 200); do
    grep -q STALL "$folder/stderr" && break
    sleep 0.1
  done
  # The controller first: one that sees its injector end undoes everything itself.
  kill -9 "$held"
  for status in /proc/[0-9]*/status; do
    name=$(sed -n 's/^Name:\t//p' "$status" 2>/dev/null)
    case $name in stallproof | sp-injector) pid=${status#/proc/} && kill -9 "${pid%/status}" ;; esac
  done
  wait "$held"
  echo "held $?" >"$folder/end"
  stallproof repro userspace-lock --variant held-briefly --expect quiet --deadline 2s -o /tmp/next \
    >"$folder/next" 2>&1
  echo "code $?" >>"$folder/end"
  for _ in $(seq 30); do
    look >"$folder/after"
    cmp -s "$folder/before" "$folder/after" && break
    sleep 0.1
  done
  cmp -s "$folder/before" "$folder/after" || stacks_of_ours >"$folder/stacks" 2>&1
  rm -rf /tmp/run /tmp/next
}

while IFS='|' read -r name prepare words; do
  $prepare
  case $name in
    killed-*) killed_case "$name" $words ;;
    *) run_case "$name" $words ;;
  esac
done </mnt/cases
dmesg >/mnt/kmsg
