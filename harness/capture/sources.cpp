// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/sources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/klog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"
#include "harness/base/first_line.h"
#include "harness/base/open_directory.h"
#include "harness/capture/sysrq_report.h"

namespace stallproof {
namespace {

constexpr Nanos kForOne = kSecond;
constexpr Nanos kForSysrq = 5 * kSecond;

struct Source {
  const char* file;
  std::vector<const char*> paths;
  bool all_needed;      // false: kernels differ in which of them they have
  bool moment = false;  // different at every moment
};

const std::vector<Source>& source_table() {
  static const std::vector<Source> table{
      {"version.txt", {"/proc/version", "/proc/cmdline", "/proc/uptime", "/proc/loadavg"}, true},
      {"mountinfo.txt", {"/proc/self/mountinfo"}, true},
      {"diskstats.txt", {"/proc/diskstats"}, true, true},
      {"pressure.txt",
       {"/proc/pressure/io", "/proc/pressure/memory", "/proc/pressure/cpu"},
       false,
       true},
      {"memory.txt", {"/proc/meminfo", "/proc/vmstat"}, true, true},
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
                     Deadline deadline, Nanos limit = kForOne, int* error = nullptr) {
  const Nanos began = monotonic_now();
  SourceResult result{.file = file};
  if (deadline.passed()) {
    result.problem = "not reached in time";
    return result;
  }
  const Nanos end = std::min(deadline.at(), began + limit);
  BoundedText got = text_bounded(work, Deadline(end));
  result.text = std::move(got.text);
  result.took_ms = static_cast<double>(monotonic_now() - began) / 1e6;
  if (error != nullptr) *error = got.error;
  if (got.error == ETIMEDOUT)
    result.problem = "did not answer in time; what came is kept";
  else if (got.error != 0)
    result.problem = std::strerror(got.error);
  return result;
}

// /proc/modules, then what sysfs knows of the version of each.
int say_modules(int into) {
  say_files(into, {"/proc/modules"});  // a kernel without modules has no such file
  const OpenDirectory folder = open_directory("/sys/module");
  if (!folder) return errno;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] == '.') continue;
    const std::string module = std::string("/sys/module/") + entry->d_name;
    const std::string version = first_line(module + "/version");
    const std::string source = first_line(module + "/srcversion");
    if (!version.empty() || !source.empty())
      say(into, fmt::format("{} version={} srcversion={}\n", entry->d_name, version, source));
  }
  return 0;
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
        say(into, kernel_log_line(record));
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

// The numbers of requests that nobody has answered yet. Reading them takes no lock of the server.
int say_fuse(int into) {
  const OpenDirectory folder = open_directory("/sys/fs/fuse/connections");
  say(into, folder ? "connection waiting\n" : "no FUSE connections (fusectl is not mounted)\n");
  if (!folder) return 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] == '.') continue;
    const std::string place = std::string("/sys/fs/fuse/connections/") + entry->d_name;
    say(into, fmt::format("{} {}\n", entry->d_name, first_line(place + "/waiting")));
  }
  return 0;
}

SourceStep step_of(const Source& source) {
  return {.file = source.file,
          .work = [paths = std::vector<std::string>(source.paths.begin(), source.paths.end()),
                   all = source.all_needed](int into) {
            const int error = say_files(into, paths);
            return all ? error : 0;
          }};
}

}  // namespace

void say(int into, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(into, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string kernel_log_line(const KmsgRecord& record) {
  return fmt::format("[{:5}.{:06}] {}{}\n", record.stamp_ns / kSecond,
                     record.stamp_ns % kSecond / 1000, record.kernel ? "" : "(user) ",
                     record.text());
}

std::vector<SourceResult> collect_sources(Deadline deadline) {
  std::vector<SourceResult> results;
  for (const Source& source : source_table())
    results.push_back(collect(source.file, step_of(source).work, deadline));
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
  int error = 0;
  SourceResult result = collect(
      "sysrq.txt", [](int into) { return say_sysrq(into, {}); }, deadline, kForSysrq, &error);
  if (error != 0) result.problem = sysrq_problem(error);
  return result;
}

std::vector<SourceStep> moment_steps() {
  std::vector<SourceStep> steps;
  for (const Source& source : source_table())
    if (source.moment) steps.push_back(step_of(source));
  steps.push_back({.file = "fuse.txt", .work = say_fuse});
  return steps;
}

std::string sources_json(const std::vector<SourceResult>& sources) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const SourceResult& source : sources)
    list.push_back({{"file", source.file},
                    {"bytes", source.text.size()},
                    {"ms", source.took_ms},
                    {"problem", source.problem.empty() ? Json(nullptr) : Json(source.problem)}});
  return Json{{"schema", 1}, {"sources", list}}.dump(2, ' ', false,
                                                     Json::error_handler_t::replace) +
         "\n";
}

}  // namespace stallproof
