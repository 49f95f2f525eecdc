// SPDX-License-Identifier: Apache-2.0
// The calls by which one process changes its memory map (mmap, munmap, mprotect, madvise, brk,
// mremap), the births and deaths of its threads, as they happen. By BPF at the end of system calls
// (tp_btf: Linux 5.8 with BTF); the process is not stopped, and nobody is woken by it. 64-bit calls
// only. While it is open every system call of the machine takes some 50 ns more. Controller; root.
// One reader.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "harness/base/result.h"
#include "harness/probe/map_event.h"

namespace stallproof {

class MapTrace {
 public:
  // From here on calls of the process are kept, up to about 260 000 until the next take(). An Error
  // of Origin::lacking where the kernel has not the means or refuses.
  static Result<MapTrace> open(pid_t tgid);
  MapTrace(MapTrace&&) noexcept;
  MapTrace& operator=(MapTrace&&) noexcept;
  ~MapTrace();

  // Every event that came since the last time, in the order of their ends. Never blocks.
  void take(const std::function<void(const MapEvent&)>& visit);
  // No more events; what was kept can still be taken.
  void stop();
  // Events that found no room, and calls that gave an error and are no events.
  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] std::uint64_t failed() const;

 private:
  struct Programs;
  explicit MapTrace(std::unique_ptr<Programs> programs);
  std::unique_ptr<Programs> programs_;
};

}  // namespace stallproof
