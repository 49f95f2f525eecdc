// SPDX-License-Identifier: Apache-2.0
// libFuzzer: whatever stands in a parameter file, it is planned or refused, and neither crashes nor
// takes for ever. Built by the preset `fuzz`.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>

#include "harness/base/fd.h"
#include "workloads/vdbench/plan_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stallproof;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Neither other files nor the network.
  for (const std::string_view word : {"include", "sys", "SYS", "Sys"})
    if (text.find(word) != std::string_view::npos) return -1;
  const Fd file(::memfd_create("parm", MFD_CLOEXEC));
  if (!file.valid() || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) return -1;
  const auto plan = plan_parameter_files({fmt::format("/proc/self/fd/{}", file.get())}, {}, {});
  // Neither may be silent.
  if (plan ? plan_text(*plan).empty() : plan.error().what.empty()) __builtin_trap();
  return 0;
}
