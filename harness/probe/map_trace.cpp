// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/map_trace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstring>

#include "harness/probe/bpf_support.h"
#include "map_trace_bpf.skel.h"

namespace stallproof {
namespace {

using Visit = std::function<void(const MapEvent&)>;

}  // namespace

struct MapTrace::Programs {
  map_trace_bpf* programs = nullptr;
  ring_buffer* ring = nullptr;
  const Visit* visit = nullptr;

  Programs() = default;
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;
  ~Programs() {
    ::ring_buffer__free(ring);
    map_trace_bpf__destroy(programs);
  }
  static int deliver(void* self, void* data, std::size_t size) {
    MapEvent event;
    if (size < sizeof event) return 0;
    std::memcpy(&event, data, sizeof event);
    (*static_cast<Programs*>(self)->visit)(event);
    return 0;
  }
};

MapTrace::MapTrace(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
MapTrace::MapTrace(MapTrace&&) noexcept = default;
MapTrace& MapTrace::operator=(MapTrace&&) noexcept = default;
MapTrace::~MapTrace() = default;

Result<MapTrace> MapTrace::open(pid_t tgid) {
  const BpfWarningScope warnings;
  const std::string means = "needs root and Linux 5.8 with BTF; there is no other way to record";
  auto made = std::make_unique<Programs>();
  made->programs = map_trace_bpf__open();
  if (made->programs == nullptr) return bpf_refused("open of the call trace", errno, means);
  made->programs->rodata->traced_tgid = static_cast<std::uint32_t>(tgid);
  int error = map_trace_bpf__load(made->programs);
  if (error != 0) return bpf_refused("load of the call trace", error, means);
  made->ring = ::ring_buffer__new(::bpf_map__fd(made->programs->maps.map_events),
                                  &Programs::deliver, made.get(), nullptr);
  if (made->ring == nullptr) return bpf_refused("ring of the call trace", errno, means);
  error = map_trace_bpf__attach(made->programs);
  if (error != 0) return bpf_refused("attach of the call trace", error, means);
  return MapTrace(std::move(made));
}

void MapTrace::take(const Visit& visit) {
  programs_->visit = &visit;
  ::ring_buffer__consume(programs_->ring);
}

void MapTrace::stop() { map_trace_bpf__detach(programs_->programs); }

std::uint64_t MapTrace::lost() const { return programs_->programs->bss->lost_events; }
std::uint64_t MapTrace::failed() const { return programs_->programs->bss->failed_calls; }

}  // namespace stallproof
