// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/system_sampler.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace stallproof {
namespace {

constexpr std::array<const char*, kPressures> kPressureFiles{
    "/proc/pressure/io", "/proc/pressure/memory", "/proc/pressure/cpu"};
constexpr std::string_view kFuseFolder = "/sys/fs/fuse/connections";

Fd open_to_read(const std::string& path) { return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)); }

void tell(std::array<char, 256>& into, const std::string& problem) {
  const std::size_t length = std::min(problem.size(), into.size() - 1);
  std::memcpy(into.data(), problem.data(), length);
  into[length] = '\0';
}

}  // namespace

void SystemSampler::open(EvidenceArea& area, const std::string& root) {
  std::string lacking;
  const auto lacks = [&lacking](const std::string& path) {
    lacking += fmt::format("{}{} ({})", lacking.empty() ? "" : ", ", path, std::strerror(errno));
  };
  for (std::size_t i = 0; i < kPressures; ++i) {
    pressure_[i] = open_to_read(root + kPressureFiles[i]);
    // The switch is for all three: one word is enough.
    if (!pressure_[i].valid() && i == kPressureIo) lacks("/proc/pressure");
  }
  diskstats_ = open_to_read(root + "/proc/diskstats");
  if (!diskstats_.valid()) lacks("/proc/diskstats");
  // Since 6.13; before, the tracepoint and the kernel log tell.
  hung_tasks_ = open_to_read(root + "/proc/sys/kernel/hung_task_detect_count");
  const std::string folder = root + std::string(kFuseFolder);
  std::memcpy(fuse_folder_.data(), folder.data(), std::min(folder.size(), fuse_folder_.size() - 1));
  text_.fill(' ');  // touched now: no page fault later
  if (!lacking.empty()) tell(area.system_problem, lacking);
}

// An empty text when nothing can be read.
std::string_view SystemSampler::read_again(const Fd& file) {
  if (!file.valid()) return {};
  std::size_t used = 0;
  while (used < text_.size()) {
    const ssize_t n =
        ::pread(file.get(), text_.data() + used, text_.size() - used, static_cast<off_t>(used));
    if (n <= 0) break;
    used += static_cast<std::size_t>(n);
  }
  return {text_.data(), used};
}

void SystemSampler::sample(Nanos now, EvidenceArea& area, SystemRow& row) {
  row.at_ns = now;
  row.kmsg_written = area.kmsg_written.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < kPressures; ++i)
    parse_pressure(read_again(pressure_[i]), row.pressure[i]);
  row.hung_tasks = parse_number(read_again(hung_tasks_)).value_or(0);
  sample_disks(area, row);
  sample_fuse(area, row);
}

void SystemSampler::sample_disks(EvidenceArea& area, SystemRow& row) {
  std::string_view text = read_again(diskstats_);
  std::string_view whole;  // the disk whose partitions follow
  std::uint32_t left_out = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto line = parse_disk_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line || is_partition_of(line->name, whole)) continue;
    whole = line->name;
    if (!note_disk(*line, area)) ++left_out;
  }
  area.disks_left_out.store(left_out, std::memory_order_relaxed);
  for (std::size_t i = 0; i < disk_count_; ++i) row.disks[i] = disks_[i].row;
}

// False: there is no room for it.
bool SystemSampler::note_disk(const DiskLine& line, EvidenceArea& area) {
  for (std::size_t i = 0; i < disk_count_; ++i) {
    if (disks_[i].major != line.major || disks_[i].minor != line.minor) continue;
    disks_[i].row = line.row;
    return true;
  }
  // One that was never used needs no row: machines have dozens of idle ram and loop devices.
  if (line.row.completed == 0 && line.row.in_flight == 0) return true;
  if (disk_count_ == kSystemDisks) return false;
  disks_[disk_count_] = {.major = line.major, .minor = line.minor, .row = line.row};
  DiskName& name = area.disk_names[disk_count_];
  name.bytes.fill('\0');
  std::memcpy(name.bytes.data(), line.name.data(),
              std::min(line.name.size(), name.bytes.size() - 1));
  area.disk_count.store(static_cast<std::uint32_t>(++disk_count_), std::memory_order_release);
  return true;
}

void SystemSampler::open_connection(std::size_t entry, std::uint32_t number) {
  fuse_numbers_[entry] = number;
  fuse_[entry].reset();
  if (number == 0) return;
  std::array<char, 192> path;
  const auto end =
      fmt::format_to_n(path.data(), path.size() - 1, "{}/{}/waiting", fuse_folder_.data(), number);
  *end.out = '\0';
  fuse_[entry] = Fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
}

void SystemSampler::sample_fuse(EvidenceArea& area, SystemRow& row) {
  for (std::size_t i = 0; i < kSystemFuse; ++i) {
    const std::uint32_t number = area.watched_fuse[i].load(std::memory_order_acquire);
    if (number != fuse_numbers_[i]) open_connection(i, number);
    if (!fuse_[i].valid()) continue;
    // Of a connection that is gone nothing is read: nobody waits for it.
    row.fuse_waiting[i] =
        static_cast<std::uint32_t>(parse_number(read_again(fuse_[i])).value_or(0));
  }
}

}  // namespace stallproof
