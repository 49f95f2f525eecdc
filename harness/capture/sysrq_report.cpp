// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/sysrq_report.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/klog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/capture/sources.h"

namespace stallproof {
namespace {

constexpr const char* kSysrqMask = "/proc/sys/kernel/sysrq";
constexpr const char* kPrintk = "/proc/sys/kernel/printk";
// Emergencies only (include/linux/kern_levels.h); console levels below 1 are refused.
constexpr const char* kQuietConsole = "1";
// A stack of twenty frames, and the scheduler's own lines, as text.
constexpr std::uint64_t kBytesOfTask = 3072;
constexpr std::uint64_t kBytesOfProcessor = 8192;
// The kernel prints them all without a rest: many more make soft lockups of their own.
constexpr std::uint64_t kMostTasks = 4000;
// Processors answer `l` by interrupt, some time after the letter was taken.
constexpr int kQuietMs = 100;
constexpr Nanos kForOneLetter = kSecond;

// All that has come until nothing more does.
void copy_answer(int log, int into, SysrqAnswer& answer) {
  const Deadline deadline = Deadline::in(kForOneLetter);
  std::array<char, 8192> raw;
  KmsgRecord record;
  pollfd item{log, POLLIN, 0};
  while (!deadline.passed() && ::poll(&item, 1, kQuietMs) > 0) {
    const ssize_t n = ::read(log, raw.data(), raw.size());
    if (n < 0 && errno == EPIPE) {
      answer.cut = true;
      continue;
    }
    if (n <= 0) return;
    if (!parse_kmsg({raw.data(), static_cast<std::size_t>(n)}, record)) continue;
    note_record(record, answer);
    say(into, kernel_log_line(record));
  }
}

int ask(int trigger, int log, int into) {
  const SysrqPlan plan = plan_sysrq(kernel_log_room());
  SysrqAnswer answer;
  ::lseek(log, 0, SEEK_END);
  for (const char letter : plan.letters) {
    if (::write(trigger, &letter, 1) != 1) return errno;
    copy_answer(log, into, answer);
  }
  for (const std::string& line : plan.left_out) say(into, line + "\n");
  return error_of(answer);
}

void add_setting(const char* path, const char* ours, std::vector<ChangedSetting>& settings) {
  const auto now = setting_now(path);
  if (now && *now != ours) settings.push_back({.path = path, .before = *now, .ours = ours});
}

}  // namespace

KernelLogRoom kernel_log_room() {
  KernelLogRoom room;
  // "0.01 0.02 0.03 2/345 6789": of it 345, all threads (fs/proc/loadavg.c).
  if (const auto load = read_file("/proc/loadavg", 256)) {
    const auto slash = load->find('/');
    if (slash != std::string::npos)
      room.tasks = std::strtoull(load->c_str() + slash + 1, nullptr, 10);
  }
  const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (processors > 0) room.processors = static_cast<std::uint64_t>(processors);
  const int ring = ::klogctl(10, nullptr, 0);  // SYSLOG_ACTION_SIZE_BUFFER
  if (ring > 0) room.ring_bytes = static_cast<std::uint64_t>(ring);
  return room;
}

SysrqPlan plan_sysrq(const KernelLogRoom& room) {
  SysrqPlan plan{.letters = "w", .left_out = {}};
  const std::uint64_t half = room.ring_bytes / 2;
  const std::uint64_t of_processors = room.processors * kBytesOfProcessor;
  if (of_processors <= half)
    plan.letters += 'l';
  else
    plan.left_out.push_back(
        fmt::format("not asked: l (what runs on each of {} processors): the kernel log holds {} "
                    "KiB (log_buf_len)",
                    room.processors, room.ring_bytes / 1024));
  plan.letters += 'm';
  const bool fits = room.tasks * kBytesOfTask + of_processors <= half;
  if (fits && room.tasks <= kMostTasks)
    plan.letters += 't';
  else
    plan.left_out.push_back(fmt::format(
        "not asked: t (all {} tasks): {}", room.tasks,
        fits ? fmt::format("more than {} would hold the processor that prints them", kMostTasks)
             : fmt::format("the kernel log holds {} KiB (log_buf_len)", room.ring_bytes / 1024)));
  return plan;
}

// What a process writes into the log proves nothing.
void note_record(const KmsgRecord& record, SysrqAnswer& answer) {
  const auto has = [&record](const char* words) {
    return record.kernel && record.text().find(words) != std::string_view::npos;
  };
  answer.begun = answer.begun || has("Show Blocked State");
  answer.refused = answer.refused || has("sysrq operation is disabled");
}

int error_of(const SysrqAnswer& answer) {
  if (answer.refused) return EPERM;
  if (answer.cut) return EOVERFLOW;
  return answer.begun ? 0 : ENODATA;
}

std::vector<ChangedSetting> settings_for_sysrq() {
  std::vector<ChangedSetting> settings;
  if (::access(kSysrqTrigger, F_OK) != 0) return settings;
  add_setting(kSysrqMask, "1", settings);
  add_setting(kPrintk, kQuietConsole, settings);
  return settings;
}

int say_sysrq(int into, const std::vector<ChangedSetting>& settings) {
  const Fd trigger(::open(kSysrqTrigger, O_WRONLY | O_CLOEXEC));
  if (!trigger.valid()) return errno == ENOENT ? ENOTSUP : errno;
  const Fd log(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log.valid()) {
    const int error = errno;
    say(into, fmt::format("/dev/kmsg: {}\n", std::strerror(error)));
    return error;
  }
  // What cannot be changed shows in the answer, if it matters.
  for (const ChangedSetting& setting : settings) {
    [[maybe_unused]] const auto set = write_control_file(setting.path, setting.ours + "\n");
  }
  const int error = ask(trigger.get(), log.get(), into);
  for (const ChangedSetting& setting : settings) {
    [[maybe_unused]] const auto back = put_back(setting);
  }
  return error;
}

std::string sysrq_problem(int error) {
  switch (error) {
    case 0:
      return {};
    case ENOTSUP:
      return "this kernel has no sysrq (no /proc/sysrq-trigger)";
    case EPERM:
      return "the kernel refused: This sysrq operation is disabled (sysctl kernel.sysrq=1)";
    case EACCES:
      return "not root: sysrq is root's";
    case EOVERFLOW:
      return "part of the answer was overwritten in the kernel log (boot with log_buf_len=4M)";
    case ENODATA:
      return "the kernel took the question and no answer came to its log";
    case ETIMEDOUT:
      return "did not answer in time; what came is kept";
    default:
      return std::strerror(error);
  }
}

}  // namespace stallproof
