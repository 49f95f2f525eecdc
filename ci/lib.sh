# SPDX-License-Identifier: Apache-2.0
# Shared by ci/quickstart and ci/test: headings with times, counts, packages, deadlines.
# Sourced by bash from the top of the source tree.

sp_passed=0 sp_failed=0 sp_skipped=0
sp_reasons=()
sp_step_name='' sp_step_began=$SECONDS sp_times=()
sp_child=''

on_terminal() { [ -t 2 ]; }

# heading NAME: ends the step before and starts this one.
heading() {
  end_step
  sp_step_name=$1 sp_step_began=$SECONDS
  printf '\n== %s\n' "$1"
}

end_step() {
  [ -n "$sp_step_name" ] || return 0
  sp_times+=("$(printf '%5d s  %s' $((SECONDS - sp_step_began)) "$sp_step_name")")
  sp_step_name=''
}

print_times() {
  end_step
  printf '\ntime:\n'
  printf '  %s\n' "${sp_times[@]}"
}

pass() { sp_passed=$((sp_passed + ${1:-1})); }

# fail_check WHAT: counts one failure and says it at once.
fail_check() {
  sp_failed=$((sp_failed + 1))
  sp_reasons+=("FAIL $1")
  printf 'FAIL %s\n' "$1"
}

skip_check() {
  sp_skipped=$((sp_skipped + 1))
  sp_reasons+=("skip $1")
  printf 'skip %s\n' "$1"
}

# add_counts PASSED FAILED SKIPPED: of a step that counted for itself.
add_counts() {
  sp_passed=$((sp_passed + $1)) sp_failed=$((sp_failed + $2)) sp_skipped=$((sp_skipped + $3))
}

# packages_of WHO…: names from ci/packages.txt.
packages_of() {
  local who
  for who in "$@"; do
    awk -v who="$who" '$1 == who { print $2 }' ci/packages.txt
  done
}

# missing_packages NAME…: those that dpkg does not call installed, nor provided by another (a newer
# nodejs brings its npm, and conflicts with Debian's).
missing_packages() {
  local name provided
  provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides},\n' | sed -n 's/^installed//p')
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] && continue
    case $provided in *" $name,"* | *" $name ("*) ;; *) echo "$name" ;; esac
  done
}

# install_packages LOG NAME…: apt, with one retry, since mirrors fail for a moment now and then.
install_packages() {
  local log=$1 try
  shift
  [ $# -gt 0 ] || return 0
  for try in 1 2; do
    quietly "$log" 600 env DEBIAN_FRONTEND=noninteractive sh -c \
      'apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"' apt "$@" \
      && return 0
    [ "$try" = 2 ] || sleep 5
  done
  return 1
}

# with_deadline SECONDS COMMAND…: in a process group of its own that ends at the deadline, or when
# we are interrupted. 124 or 137: the deadline passed.
with_deadline() {
  local seconds=$1 status
  shift
  timeout -k 10 "$seconds" "$@" &
  sp_child=$!
  wait "$sp_child"
  status=$?
  sp_child=''
  return "$status"
}

# For the trap of who sources this: timeout passes the signal on to its group.
stop_child() {
  [ -z "$sp_child" ] || { kill -TERM "$sp_child" 2>/dev/null; wait "$sp_child" 2>/dev/null; }
}

# quietly LOG SECONDS COMMAND…: output to the log; one rewritten line of progress on a terminal; the
# end of the log on failure.
quietly() {
  local log=$1 seconds=$2 status
  shift 2
  timeout -k 10 "$seconds" "$@" >>"$log" 2>&1 </dev/null &
  sp_child=$!
  if on_terminal; then
    while kill -0 "$sp_child" 2>/dev/null; do
      printf '\r\033[K  %.90s' "$(tail -n 1 "$log" | tr -d '\r')" >&2
      sleep 0.3
    done
    printf '\r\033[K' >&2
  fi
  wait "$sp_child"
  status=$?
  sp_child=''
  if [ "$status" -ne 0 ]; then
    [ "$status" -ne 124 ] || echo "gave up after $seconds s" >>"$log"
    printf '%s: exit %s; the end of %s:\n' "$1" "$status" "$log" >&2
    tail -n 30 "$log" >&2
  fi
  return "$status"
}
