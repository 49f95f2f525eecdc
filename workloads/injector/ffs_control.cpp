// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/ffs_control.h"

#include <unistd.h>

#include <atomic>
#include <sstream>

#include "harness/base/file.h"

namespace stallproof {
namespace {

std::string hold_file(const std::string& kind) {
  return std::string(kFfsControl) + "/hold/" + kind;
}

Result<> write_if_there(const std::string& path, const std::string& text) {
  if (::access(path.c_str(), F_OK) != 0) return {};
  return write_control_file(path, text);
}

}  // namespace

Result<> hold_ffs_lock(const std::string& kind, const std::string& text) {
  return write_control_file(hold_file(kind), text);
}

Result<> release_ffs_lock(const std::string& kind) { return write_if_there(hold_file(kind), "0"); }

Result<> abort_ffs(bool on) {
  return write_if_there(std::string(kFfsControl) + "/abort", on ? "1" : "0");
}

void count_ffs(ServicePanel& into) {
  const auto text = read_file(std::string(kFfsControl) + "/counters", 4096);
  if (!text) return;
  std::istringstream words(*text);
  std::string name;
  std::uint64_t value = 0;
  while (words >> name >> value) {
    if (name == "page_reads") into.page_reads.store(value, std::memory_order_relaxed);
    if (name == "direct_reads") into.direct_reads.store(value, std::memory_order_relaxed);
    if (name == "hazards") into.hazards.store(value, std::memory_order_relaxed);
  }
}

}  // namespace stallproof
