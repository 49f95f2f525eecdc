// SPDX-License-Identifier: Apache-2.0
// The parameters of mapped-fault: read, and checked against each other. Sizes in pages of 4096
// bytes unless they are said to be bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "workloads/catalogue.h"
#include "workloads/content/file_share.h"
#include "workloads/fault/retouch.h"
#include "workloads/fault/touch_order.h"

namespace stallproof {

enum class MappingAdvice { random, normal, sequential };
enum class HugePages { unchanged, on, off };
enum class StartState { unchanged, cold, populated };
enum class Locking { off, on, on_fault };
enum class SyncWrites { off, async, sync };

struct FaultOptions {
  std::uint64_t file_size = 0;  // bytes; 0: the file must exist
  std::uint64_t hot_pages = 0;  // 0: all
  bool private_mapping = false;
  unsigned write_percent = 0;
  PageOrder order = PageOrder::random;
  std::uint64_t stride = 1;
  std::uint64_t window = 1;
  MappingAdvice advice = MappingAdvice::random;
  const Retouch* retouch = nullptr;  // never null once read
  SyncWrites sync = SyncWrites::off;
  std::uint64_t sync_every = 1;     // pages written by a thread
  std::uint64_t protect_every = 0;  // pages written by a thread; 0: never
  HugePages huge = HugePages::unchanged;
  StartState start = StartState::unchanged;
  Locking locking = Locking::off;
  bool begin_armed = false;
  bool whole_pages = true;  // verify=page
  FileShare share;

  [[nodiscard]] bool writes() const { return write_percent != 0; }
  // The file, that is; a private mapping keeps its writes to itself.
  [[nodiscard]] bool changes_file() const {
    return (writes() && !private_mapping) || retouch->changes_file;
  }
};

// One line that names the parameter, and the other one it does not go with.
Result<FaultOptions> read_fault_options(const Settings& settings);

// With names, defaults and help, for the catalogue.
std::span<const WorkloadParameter> fault_parameters();

}  // namespace stallproof
