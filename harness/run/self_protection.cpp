// SPDX-License-Identifier: Apache-2.0
#include "harness/run/self_protection.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "harness/base/file.h"
#include "harness/base/real_time.h"

namespace stallproof {
namespace {

// Deeper than the loop ever goes.
void touch_stack() {
  std::array<volatile char, 256U << 10U> room;
  for (std::size_t at = 0; at < room.size(); at += 4096) room[at] = 0;
}

bool lock_memory() {
  // Sanitizers reserve terabytes of shadow memory that must not be populated.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return ::mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
#endif
}

}  // namespace

std::string protect_this_process() {
  std::string refused;
  if (!lock_memory())
    refused =
        fmt::format("its memory is not locked ({}; ulimit -l unlimited), a stuck disk can stop it",
                    std::strerror(errno));
  touch_stack();
  [[maybe_unused]] const auto scored = write_control_file("/proc/self/oom_score_adj", "-1000");
  run_before_loads(RealTime::watching);
  return refused;
}

}  // namespace stallproof
