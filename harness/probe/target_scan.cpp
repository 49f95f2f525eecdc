// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/target_scan.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "harness/probe/bpf_support.h"
#include "harness/probe/classify_thread.h"
#include "target_scan_bpf.skel.h"

namespace stallproof {
namespace {

constexpr std::size_t kArrivals = 16;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6U) + (hash >> 2U);
  return hash;
}

std::uint64_t place_of(const TargetRecord& record) {
  std::uint64_t hash = mixed(static_cast<std::uint64_t>(record.call), record.call_args);
  for (const std::uint64_t frame : record.frames) hash = mixed(hash, frame);
  return hash;
}

}  // namespace

struct TargetScan::Programs {
  target_scan_bpf* programs = nullptr;
  std::vector<std::byte> bytes;
  // Of this pass and of the one before, each in the order of its records.
  std::array<std::vector<ThreadSample>, 2> samples;
  std::size_t present = 0;
  std::size_t counted_before = 0;  // records of the pass before
  bool truncated = false;
  // Scheduler clock to CLOCK_MONOTONIC: we were given a processor shortly before we read the time,
  // so the least difference of the last samples is the best known.
  std::array<std::int64_t, kArrivals> offsets{};
  std::size_t offset_count = 0;

  Programs() = default;
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;
  ~Programs() { target_scan_bpf__destroy(programs); }

  void note_offset(Nanos began) {
    if (programs->bss->reader_arrival == 0) return;
    offsets[offset_count++ % kArrivals] =
        static_cast<std::int64_t>(began) - static_cast<std::int64_t>(programs->bss->reader_arrival);
  }
  [[nodiscard]] Nanos monotonic_of(std::uint64_t arrival, Nanos now) const {
    const std::size_t known = std::min(offset_count, kArrivals);
    if (arrival == 0 || known == 0) return 0;
    const auto end = offsets.begin() + static_cast<std::ptrdiff_t>(known);
    const std::int64_t at =
        static_cast<std::int64_t>(arrival) + *std::min_element(offsets.begin(), end);
    return at < 0 ? 1 : std::min(static_cast<Nanos>(at), now);
  }
  // Forgotten, it is told in full with the next pass; until then nothing is known of it.
  [[nodiscard]] ThreadSample same_as_before(const TargetSame& same) const {
    const std::vector<ThreadSample>& before = samples[1 - present];
    if (same.before < counted_before && before[same.before].tid == same.tid)
      return before[same.before];
    const auto key = static_cast<std::uint32_t>(same.tid);
    ::bpf_map__delete_elem(programs->maps.told, &key, sizeof key, 0);
    return {};
  }
  // Turns records into samples; returns how many.
  std::size_t take(std::span<const std::byte> records, Nanos now) {
    std::size_t count = 0;
    for (std::size_t at = 0; at + sizeof(TargetSame) <= records.size();) {
      TargetSame head;
      std::memcpy(&head, records.data() + at, sizeof head);
      const bool whole = head.size == sizeof(TargetRecord);
      if ((!whole && head.size != sizeof head) || head.size > records.size() - at) break;
      if (count == kMaxSampledThreads) break;
      if (whole) {
        TargetRecord record;
        std::memcpy(&record, records.data() + at, sizeof record);
        samples[present][count++] = sample_of(record, now);
      } else {
        samples[present][count++] = same_as_before(head);
      }
      at += head.size;
    }
    return count;
  }
  [[nodiscard]] ThreadSample sample_of(const TargetRecord& record, Nanos now) const {
    ThreadSample sample{.tid = record.tid,
                        .tgid = record.tgid,
                        .start = record.start,
                        .completed = record.calls + record.faults,
                        .switches = record.switches,
                        .user_ns = record.user,
                        .place = place_of(record),
                        .ran_ns = record.state == 0 ? now : monotonic_of(record.arrival, now),
                        .wait = wait_of(record),
                        .file_work = does_file_work(record),
                        .other_work = does_other_work(record)};
    std::memcpy(sample.comm.data(), record.comm, sample.comm.size());
    return sample;
  }
};

TargetScan::TargetScan(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
TargetScan::TargetScan(TargetScan&&) noexcept = default;
TargetScan& TargetScan::operator=(TargetScan&&) noexcept = default;
TargetScan::~TargetScan() = default;

Result<TargetScan> TargetScan::open() {
  const BpfWarningScope warnings;
  auto made = std::make_unique<Programs>();
  made->programs = target_scan_bpf__open();
  if (made->programs == nullptr) return bpf_refused("open of the target scan", errno);
  int error = target_scan_bpf__load(made->programs);
  if (error != 0) return bpf_refused("load of the target scan", error);
  error = target_scan_bpf__attach(made->programs);
  if (error != 0) return bpf_refused("attach of the target scan", error);
  // All touched now: later not even a page fault may come.
  made->bytes.assign(kMaxSampledThreads * sizeof(TargetRecord), std::byte{0});
  for (auto& each : made->samples) each.assign(kMaxSampledThreads, ThreadSample{});
  return TargetScan(std::move(made));
}

tl::expected<void, int> TargetScan::watch(pid_t tgid) noexcept {
  const auto key = static_cast<std::uint32_t>(tgid);
  const std::uint64_t value = 1;
  if (::bpf_map__update_elem(programs_->programs->maps.sampled_tgids, &key, sizeof key, &value,
                             sizeof value, BPF_ANY) != 0)
    return tl::unexpected<int>(errno);
  return {};
}

tl::expected<void, int> TargetScan::unwatch(pid_t tgid) noexcept {
  const auto key = static_cast<std::uint32_t>(tgid);
  if (::bpf_map__delete_elem(programs_->programs->maps.sampled_tgids, &key, sizeof key, 0) != 0)
    return tl::unexpected<int>(errno);
  return {};
}

tl::expected<std::span<const ThreadSample>, int> TargetScan::sample() noexcept {
  Programs& own = *programs_;
  const Nanos began = monotonic_now();
  ++own.programs->bss->pass;
  own.programs->bss->written = 0;
  BpfReading reading{.out = own.bytes};
  read_bpf_iterator(::bpf_link__fd(own.programs->links.sample_target), reading);
  own.truncated = reading.full;
  own.present = 1 - own.present;
  if (reading.error != 0) {
    own.counted_before = 0;
    return tl::unexpected<int>(reading.error);
  }
  own.note_offset(began);
  const std::size_t count = own.take({own.bytes.data(), reading.used}, began);
  own.counted_before = count;
  return std::span<const ThreadSample>(own.samples[own.present].data(), count);
}

bool TargetScan::truncated() const { return programs_->truncated; }

}  // namespace stallproof
