// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/sources.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/klog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/probe/kmsg_record.h"

namespace stallproof {
namespace {

constexpr Nanos kForOne = kSecond;

struct Source {
  const char* file;
  std::vector<const char*> paths;
  bool all_needed;  // false: kernels differ in which of them they have
};

const std::vector<Source>& source_table() {
  static const std::vector<Source> table{
      {"version.txt", {"/proc/version", "/proc/cmdline", "/proc/uptime", "/proc/loadavg"}, true},
      {"mountinfo.txt", {"/proc/self/mountinfo"}, true},
      {"diskstats.txt", {"/proc/diskstats"}, true},
      {"pressure.txt", {"/proc/pressure/io", "/proc/pressure/memory", "/proc/pressure/cpu"}, false},
      {"memory.txt", {"/proc/meminfo", "/proc/vmstat"}, true},
      {"filesystems.txt", {"/proc/filesystems", "/proc/locks"}, true},
      {"sysctl.txt",
       {"/proc/sys/kernel/hung_task_timeout_secs",
        "/proc/sys/kernel/hung_task_warnings",
        "/proc/sys/kernel/hung_task_panic",
        "/proc/sys/kernel/hung_task_check_interval_secs",
        "/proc/sys/kernel/hung_task_all_cpu_backtrace",
        "/proc/sys/kernel/hung_task_detect_count",
        "/proc/sys/kernel/sysrq",
        "/proc/sys/kernel/panic",
        "/proc/sys/kernel/panic_on_oops",
        "/proc/sys/kernel/softlockup_panic",
        "/proc/sys/kernel/watchdog_thresh",
        "/proc/sys/kernel/tainted",
        "/proc/sys/kernel/kptr_restrict",
        "/proc/sys/kernel/perf_event_paranoid",
        "/proc/sys/kernel/unprivileged_bpf_disabled",
        "/proc/sys/vm/dirty_ratio",
        "/proc/sys/vm/dirty_background_ratio",
        "/proc/sys/vm/dirty_bytes",
        "/proc/sys/vm/dirty_background_bytes",
        "/proc/sys/vm/dirty_expire_centisecs",
        "/proc/sys/vm/swappiness",
        "/proc/sys/fs/fuse/default_request_timeout",
        "/proc/sys/fs/fuse/max_request_timeout",
        "/proc/sys/fs/aio-nr",
        "/proc/sys/fs/aio-max-nr",
        "/sys/kernel/kexec_crash_loaded"},
       false}};
  return table;
}

void say(int into, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(into, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// "==> PATH" and its content, for each path. Returns the errno of the last one that failed.
int say_files(int into, const std::vector<std::string>& paths) {
  int error = 0;
  for (const std::string& path : paths) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) {
      error = errno;
      say(into, fmt::format("==> {}: {}\n", path, std::strerror(error)));
      continue;
    }
    say(into, fmt::format("==> {}\n", path));
    std::array<char, 16384> chunk;
    for (ssize_t n = 0; (n = ::read(file.get(), chunk.data(), chunk.size())) > 0;)
      say(into, {chunk.data(), static_cast<std::size_t>(n)});
  }
  return error;
}

SourceResult collect(const std::string& file, const std::function<int(int)>& work,
                     Deadline deadline) {
  const Nanos began = monotonic_now();
  SourceResult result{.file = file};
  if (deadline.passed()) {
    result.problem = "not reached in time";
    return result;
  }
  const Nanos end = std::min(deadline.at(), began + kForOne);
  BoundedText got = text_bounded(work, Deadline(end));
  result.text = std::move(got.text);
  result.took_ms = static_cast<double>(monotonic_now() - began) / 1e6;
  if (got.error == ETIMEDOUT)
    result.problem = "did not answer in time; what came is kept";
  else if (got.error != 0)
    result.problem = std::strerror(got.error);
  return result;
}

std::string first_line(const std::string& path) {
  const auto text = read_file(path, 256);
  return text ? text->substr(0, text->find('\n')) : "";
}

// /proc/modules, then what sysfs knows of the version of each.
int say_modules(int into) {
  say_files(into, {"/proc/modules"});  // a kernel without modules has no such file
  DIR* const folder = ::opendir("/sys/module");
  if (folder == nullptr) return errno;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    const std::string module = std::string("/sys/module/") + entry->d_name;
    const std::string version = first_line(module + "/version");
    const std::string source = first_line(module + "/srcversion");
    if (!version.empty() || !source.empty())
      say(into, fmt::format("{} version={} srcversion={}\n", entry->d_name, version, source));
  }
  ::closedir(folder);
  return 0;
}

std::string log_line(const KmsgRecord& record) {
  return fmt::format("[{:5}.{:06}] {}{}\n", record.stamp_ns / kSecond,
                     record.stamp_ns % kSecond / 1000, record.kernel ? "" : "(user) ",
                     record.text());
}

int say_kernel_log(int into) {
  const Fd log(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (log.valid()) {
    std::array<char, 8192> raw;
    KmsgRecord record;
    for (;;) {
      const ssize_t n = ::read(log.get(), raw.data(), raw.size());
      if (n < 0 && errno == EPIPE) continue;  // overwritten meanwhile: goes on with the oldest
      if (n <= 0) return 0;
      if (parse_kmsg({raw.data(), static_cast<std::size_t>(n)}, record))
        say(into, log_line(record));
    }
  }
  // syslog(2), actions 10 (size of the ring) and 3 (read all): before 3.5, and without /dev.
  const int size = ::klogctl(10, nullptr, 0);
  if (size <= 0) return errno;
  std::string ring(static_cast<std::size_t>(size), '\0');
  const int got = ::klogctl(3, ring.data(), size);
  if (got < 0) return errno;
  say(into, {ring.data(), static_cast<std::size_t>(got)});
  return 0;
}

// Writes the letter, gives the kernel a moment, says what came since. kmsg stays readable whatever
// the console does.
int say_sysrq(int into) {
  const Fd log(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log.valid()) return errno;
  ::lseek(log.get(), 0, SEEK_END);
  for (const char* letter : {"w", "l", "t"}) {
    if (auto asked = write_control_file("/proc/sysrq-trigger", letter); !asked) {
      say(into, asked.error().what + "\n");
      return ENOTSUP;
    }
    ::usleep(100'000);
  }
  bool refused = false;
  std::array<char, 8192> raw;
  KmsgRecord record;
  for (ssize_t n = 0; (n = ::read(log.get(), raw.data(), raw.size())) > 0;) {
    if (!parse_kmsg({raw.data(), static_cast<std::size_t>(n)}, record)) continue;
    refused =
        refused || record.text().find("sysrq operation is disabled") != std::string_view::npos;
    say(into, log_line(record));
  }
  return refused ? EPERM : 0;
}

}  // namespace

std::vector<SourceResult> collect_sources(Deadline deadline) {
  std::vector<SourceResult> results;
  for (const Source& source : source_table()) {
    const std::vector<std::string> paths(source.paths.begin(), source.paths.end());
    const bool all = source.all_needed;
    results.push_back(collect(
        source.file,
        [&paths, all](int into) {
          const int error = say_files(into, paths);
          return all ? error : 0;
        },
        deadline));
  }
  results.push_back(collect("modules.txt", say_modules, deadline));
  return results;
}

SourceResult collect_processes(const std::vector<std::int32_t>& tgids, Deadline deadline) {
  std::vector<std::string> paths;
  for (const std::int32_t tgid : tgids)
    for (const char* name : {"status", "cgroup", "limits"})
      paths.push_back(fmt::format("/proc/{}/{}", tgid, name));
  return collect(
      "processes.txt",
      [&paths](int into) {
        say_files(into, paths);  // one that has ended meanwhile is no problem
        return 0;
      },
      deadline);
}

SourceResult collect_kernel_log(Deadline deadline) {
  return collect("kmsg.txt", say_kernel_log, deadline);
}

SourceResult collect_sysrq(Deadline deadline) {
  SourceResult result = collect("sysrq.txt", say_sysrq, deadline);
  if (result.problem == std::strerror(EPERM))
    result.problem = "the kernel refused (sysctl kernel.sysrq)";
  if (result.problem == std::strerror(ENOTSUP)) result.problem = "this kernel has no sysrq";
  return result;
}

}  // namespace stallproof
