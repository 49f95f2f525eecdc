// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/crash_means.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/capture/sources.h"
#include "harness/capture/sysrq_report.h"

namespace stallproof {
namespace {

constexpr Nanos kDiskAnswers = kSecond;
// The kernel is dead long before; what is waited for is a kernel that did not panic.
constexpr Nanos kPanicWithin = 10 * kSecond;
// All that a run writes about one incident, many times over.
constexpr std::uint64_t kEvidenceRoom = 16U << 20U;

// Debian's 6.1 with busybox and makedumpfile: with 80 MiB it dies for lack of memory, with 96 it
// writes the vmcore (QEMU, 2 processors, 1 GiB). Initramfs of distributions need more.
constexpr std::uint64_t kLeastCrashMemory = 96U << 20U;

std::string text_of(const std::string& path) {
  const auto text = read_file(path, 1U << 20U);
  return text ? *text : "";
}

std::optional<std::uint64_t> number_in(const std::string& path) {
  const std::string text = text_of(path);
  if (text.empty()) return std::nullopt;
  return std::strtoull(text.c_str(), nullptr, 10);
}

// Of the nearest directory that is there. A file system without a size (ramfs) says nothing.
std::optional<std::uint64_t> free_bytes(const std::string& place) {
  const auto ask = [&place](int into) {
    struct statvfs info {};
    std::string at = place;
    while (::statvfs(at.c_str(), &info) != 0) {
      const auto slash = at.rfind('/');
      if (errno != ENOENT || slash == std::string::npos || at == "/") return errno;
      at = slash == 0 ? "/" : at.substr(0, slash);
    }
    if (info.f_blocks != 0) say(into, fmt::format("{}", info.f_bavail * info.f_frsize));
    return 0;
  };
  const BoundedText answer = text_bounded(ask, Deadline::in(kDiskAnswers));
  if (answer.error != 0 || answer.text.empty()) return std::nullopt;
  return std::strtoull(answer.text.c_str(), nullptr, 10);
}

// Lines "KEY VALUE" or "KEY=VALUE", without quotes; the last one counts.
std::string value_in(std::string_view text, std::string_view key, char separator) {
  std::string found;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != separator)
      continue;
    std::string value(line.substr(key.size() + 1));
    std::erase_if(value, [](char each) { return each == '"' || each == '\'' || each == ' '; });
    found = value;
  }
  return found;
}

std::string mebibytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20U); }

}  // namespace

CrashMeans look_at_crash_means(const std::string& evidence_place) {
  CrashMeans means{.root = ::geteuid() == 0,
                   .trigger = ::access(kSysrqTrigger, F_OK) == 0,
                   .crash_kernel = text_of("/sys/kernel/kexec_crash_loaded").substr(0, 1),
                   .crash_memory = number_in("/sys/kernel/kexec_crash_size"),
                   .dump_place = dump_directory(text_of("/etc/kdump.conf"),
                                                text_of("/etc/default/kdump-tools"))};
  if (!means.dump_place.empty()) means.dump_free = free_bytes(means.dump_place);
  means.dump_needed = dump_estimate(text_of("/proc/meminfo"));
  means.evidence_free = free_bytes(evidence_place);
  return means;
}

CrashLack lacking_for_crash(const CrashMeans& means) {
  if (!means.root) return {"not root: only root can crash a machine (run with sudo)", true};
  if (!means.trigger)
    return {fmt::format("this kernel has no sysrq (no {}): it cannot be asked to panic",
                        kSysrqTrigger)};
  if (means.crash_kernel.empty())
    return {
        "this kernel has no kexec (no /sys/kernel/kexec_crash_loaded): a panic would leave no "
        "vmcore"};
  if (means.crash_kernel != "1")
    return {
        "no crash kernel is loaded (/sys/kernel/kexec_crash_loaded): a panic would leave no "
        "vmcore (arm kdump: crashkernel= and kdump-tools or kexec-tools)"};
  if (means.dump_free && means.dump_needed && *means.dump_free < *means.dump_needed)
    return {fmt::format("{}: {} free, the vmcore may need {}", means.dump_place,
                        mebibytes(*means.dump_free), mebibytes(*means.dump_needed))};
  if (means.evidence_free && *means.evidence_free < kEvidenceRoom)
    return {fmt::format("only {} are free where the run's files go (give another place with -o)",
                        mebibytes(*means.evidence_free))};
  return {};
}

std::string doubt_of_crash_kernel(const CrashMeans& means) {
  if (!means.crash_memory || *means.crash_memory >= kLeastCrashMemory) return {};
  return fmt::format(
      "only {} are kept for it: less than {} have been too little for one (crashkernel=256M on the "
      "kernel's command line)",
      mebibytes(*means.crash_memory), mebibytes(kLeastCrashMemory));
}

std::string dump_directory(std::string_view kdump_conf, std::string_view kdump_tools) {
  if (!kdump_conf.empty()) {
    for (const char* elsewhere : {"nfs", "ssh", "raw", "ext4", "xfs", "btrfs", "ext3", "ext2"})
      if (!value_in(kdump_conf, elsewhere, ' ').empty()) return {};
    const std::string path = value_in(kdump_conf, "path", ' ');
    return path.empty() ? "/var/crash" : path;
  }
  if (kdump_tools.empty()) return {};
  for (const char* elsewhere : {"NFS", "SSH", "FTP"})
    if (!value_in(kdump_tools, elsewhere, '=').empty()) return {};
  const std::string path = value_in(kdump_tools, "KDUMP_COREDIR", '=');
  return path.empty() ? "/var/crash" : path;
}

std::optional<std::uint64_t> dump_estimate(std::string_view meminfo) {
  const auto kilobytes = [meminfo](std::string_view key) -> std::uint64_t {
    const std::string value = value_in(meminfo, key, ':');
    return std::strtoull(value.c_str(), nullptr, 10);
  };
  const std::uint64_t total = kilobytes("MemTotal");
  if (total == 0) return std::nullopt;
  std::uint64_t not_dumped = kilobytes("HugePages_Total") * kilobytes("Hugepagesize");
  for (const char* key : {"MemFree", "Buffers", "Cached", "SwapCached", "AnonPages"})
    not_dumped += kilobytes(key);
  return (total - std::min(total, not_dumped)) * 1024;
}

Result<> mark_kernel_log(int level, const std::string& line) {
  const Fd log(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  if (!log.valid()) return fail_errno("open /dev/kmsg", errno, {}, Origin::infra);
  const std::string record = fmt::format("<{}>{}\n", level, line);
  if (::write(log.get(), record.data(), record.size()) < 0)
    return fail_errno("write /dev/kmsg", errno, {}, Origin::infra);
  return {};
}

Error crash_this_machine() {
  const auto ask = [] {
    const Fd trigger(::open(kSysrqTrigger, O_WRONLY | O_CLOEXEC));
    if (!trigger.valid()) return errno;
    return ::write(trigger.get(), "c", 1) == 1 ? 0 : errno;
  };
  const int error = run_bounded(ask, Deadline::in(kPanicWithin));
  if (error == 0)
    return {
        "the kernel was asked to panic and did not (its log may say: This sysrq operation is "
        "disabled)",
        Origin::infra};
  return {std::string("the kernel could not be asked to panic: ") + std::strerror(error),
          Origin::infra};
}

}  // namespace stallproof
