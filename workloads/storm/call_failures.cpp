// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/call_failures.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace stallproof {

CallFailures::Kind CallFailures::kind_of(Op op, int error) {
  if (op == Op::thread_start) return kThreadLimit;
  return error == ENOMEM ? kMapCount : kOther;
}

CallFailureLine call_failure_line(Op op, int error) {
  std::string_view try_this = "nothing is tried against it";
  if (op == Op::thread_start)
    try_this = "lower birth-rate, or raise kernel.threads-max, pids.max of the cgroup or ulimit -u";
  else if (error == ENOMEM)
    try_this = "fewer threads, or raise vm.max_map_count";
  CallFailureLine line{};
  fmt::format_to_n(line.data(), line.size() - 1,
                   "mprotect-storm: {}: {}; counted, and the load goes on ({})", op_name(op),
                   std::strerror(error), try_this);
  return line;
}

void CallFailures::tell(Op op, int error) {
  if (told_[kind_of(op, error)].exchange(true)) return;
  std::fprintf(stderr, "%s\n", call_failure_line(op, error).data());
}

}  // namespace stallproof
