// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/jvm_profile.h"

#include "harness/base/prng.h"
#include "workloads/storm/jvm_memory.h"

namespace stallproof {

void run_jvm_thread(const IoContext& context, std::uint64_t seed) {
  Prng prng(Prng::mix(seed));
  auto memory = JvmMemory::reserve();
  if (!memory) return;
  JvmCourse course(true, 1);
  while (!context.stopping()) {
    const auto mix = course.mix();
    context.sleep_until(course.next_due(monotonic_now(), prng));
    // A call that fails changes nothing, as in a JVM that goes on without the memory.
    if (!context.stopping()) (void)perform(memory->next(prng, mix));
  }
}

}  // namespace stallproof
