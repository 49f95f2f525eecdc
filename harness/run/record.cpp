// SPDX-License-Identifier: Apache-2.0
#include "harness/run/record.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cctype>

#include "harness/base/file.h"
#include "harness/base/large_pages.h"
#include "harness/base/result_file.h"
#include "harness/base/signals.h"
#include "harness/base/units.h"
#include "harness/probe/map_trace.h"
#include "harness/probe/process_tree.h"
#include "harness/run/foreign_command.h"
#include "harness/run/map_recorder.h"
#include "harness/run/record_outcome.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

constexpr int kNotFound = 127;
// Between two looks at the ring, which has room for many seconds.
constexpr Nanos kLook = 100 * kMillisecond;

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

Failure refuse_existing(const std::string& path) {
  return fail(fmt::format("{}: exists (give another name, or --force)", path));
}

// The process that is recorded: somebody's, or the command.
class Subject {
 public:
  static Result<Subject> find(int pid);
  static Result<Subject> start_later(const std::vector<std::string>& command, bool aside);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return command_ ? command_->pidfd() : pidfd_.get(); }
  [[nodiscard]] bool is_command() const { return command_.has_value(); }
  Result<> go() { return command_ ? command_->go() : Result<>{}; }
  bool ended() {
    if (command_) {
      command_->reap({});
      return command_->status().has_value();
    }
    pollfd item{pidfd_.get(), POLLIN, 0};
    return ::poll(&item, 1, 0) > 0;
  }
  [[nodiscard]] std::optional<int> exit_code() const {
    if (!command_ || !command_->status()) return std::nullopt;
    return shell_status(*command_->status());
  }

 private:
  pid_t pid_ = 0;
  Fd pidfd_;
  std::optional<ForeignCommand> command_;
};

Result<Subject> Subject::find(int pid) {
  Subject subject;
  subject.pid_ = thread_group_of(pid);
  if (subject.pid_ <= 0)
    return fail(
        fmt::format("--pid {}: no such process (numbers are those of this pid namespace)", pid));
  if (subject.pid_ == ::getpid()) return fail(fmt::format("--pid {}: this is ourselves", pid));
  subject.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, subject.pid_, 0U)));
  if (!subject.pidfd_.valid())
    return fail_errno(fmt::format("--pid {}", pid), errno, {},
                      errno == ENOSYS ? Origin::lacking : Origin::user);
  return subject;
}

Result<Subject> Subject::start_later(const std::vector<std::string>& command, bool aside) {
  auto prepared = ForeignCommand::prepare({.words = command, .stdout_to_stderr = aside});
  if (!prepared) return Failure(prepared.error());
  Subject subject;
  subject.pid_ = prepared->pid();
  subject.command_.emplace(std::move(*prepared));
  return subject;
}

class Recording {
 public:
  Recording(const RecordOptions& options, Console& console, const SignalWatch& signals,
            Subject subject)
      : options_(options), console_(console), signals_(signals), subject_(std::move(subject)) {}
  Result<int> run();

 private:
  RecordEnd follow(MapTrace& trace, MapRecorder& recorder, Nanos began);
  Result<int> deliver(MapProfile profile, RecordOutcome& outcome);
  Result<std::string> place(const MapProfile& profile) const;
  const RecordOptions& options_;
  Console& console_;
  const SignalWatch& signals_;
  Subject subject_;
};

Result<int> Recording::run() {
  auto trace = MapTrace::open(subject_.pid());
  if (!trace) return Failure(trace.error());
  utsname kernel{};
  ::uname(&kernel);
  const Nanos began = monotonic_now();
  MapRecorder recorder({.comm = name_of_process(subject_.pid()),
                        .kernel = kernel.release,
                        .monotonic = began,
                        .realtime = realtime_now()});
  if (auto started = subject_.go(); !started) return Failure(started.error());
  console_.step(0, fmt::format("recording pid {}{}", subject_.pid(),
                               options_.duration ? " for " + format_duration(*options_.duration)
                                                 : " until it ends or Ctrl-C"));
  const RecordEnd end = follow(*trace, recorder, began);
  const Nanos until = monotonic_now();
  trace->stop();
  trace->take([&recorder](const MapEvent& event) { recorder.take(event); });
  RecordOutcome outcome{.pid = subject_.pid(),
                        .end = recorder.full() ? RecordEnd::full : end,
                        .command_exit = subject_.exit_code(),
                        .command_runs_on = subject_.is_command() && !subject_.ended(),
                        .other_programs = recorder.other_programs()};
  return deliver(recorder.finish(until, trace->lost(), trace->failed()), outcome);
}

RecordEnd Recording::follow(MapTrace& trace, MapRecorder& recorder, Nanos began) {
  const Nanos end = options_.duration ? began + *options_.duration : UINT64_MAX;
  for (;;) {
    const Nanos now = monotonic_now();
    const Nanos wait = now < end ? std::min(end - now, kLook) : 0;
    std::array<pollfd, 2> items{pollfd{signals_.fd(), POLLIN, 0},
                                pollfd{subject_.pidfd(), POLLIN, 0}};
    ::poll(items.data(), items.size(), Deadline::in(wait).poll_ms());
    trace.take([&recorder](const MapEvent& event) { recorder.take(event); });
    console_.progress(fmt::format("{} calls", recorder.calls()));
    if (subject_.ended()) return RecordEnd::process_ended;
    if (signals_.next()) return RecordEnd::interrupted;
    if (monotonic_now() >= end) return RecordEnd::duration;
    if (recorder.full()) return RecordEnd::full;
  }
}

// NAME-2026-11-25T200118-PID.profile below the state directory, unless a place was given.
Result<std::string> Recording::place(const MapProfile& profile) const {
  if (!options_.out.empty()) {
    if (options_.force || !exists(options_.out)) return options_.out;
    // It came while we recorded: the profile is not to be lost for it.
    return fmt::format("{}.{}", options_.out, ::getpid());
  }
  std::string name;
  for (const char each : profile.comm + "-" + profile.started.substr(0, 19)) {
    if (each == ':') continue;
    const bool plain = std::isalnum(static_cast<unsigned char>(each)) != 0 || each == '-';
    name += plain ? each : '_';
  }
  const std::string folder = state_directory() + "/profiles";
  if (auto made = make_directories(folder); !made) return Failure(made.error());
  return fmt::format("{}/{}-{}.profile", folder, name, subject_.pid());
}

Result<int> Recording::deliver(MapProfile profile, RecordOutcome& outcome) {
  const auto path = place(profile);
  if (!path) return fail(path.error().what, Origin::infra);
  if (!options_.out.empty() && *path != options_.out)
    console_.problem(fmt::format("{} exists by now: the profile is in {}", options_.out, *path));
  outcome.path = *path;
  if (auto written = replace_file(*path, format_map_profile(profile)); !written)
    return fail(written.error().what, Origin::infra);
  console_.step(profile.duration_us * 1000, record_sentence(profile, outcome));
  console_.result(outcome.path);
  console_.document(record_json(profile, outcome));
  for (const std::string& problem : record_problems(profile, outcome))
    console_.problem("record: " + problem);
  if (outcome.command_runs_on)
    console_.problem(fmt::format("left running: the command, process {}", outcome.pid));
  if (console_.lost_output()) return 3;
  return record_exit_code(profile, outcome);
}

}  // namespace

Result<int> run_record(const RecordOptions& options, Console& console) {
  if (!options.force && !options.out.empty() && exists(options.out))
    return refuse_existing(options.out);
  if (auto usable = check_result_file(options.out); !usable)
    return fail("-o " + usable.error().what);
  if (options.out.ends_with('/')) return fail(options.out + ": names a folder, not a file (-o)");
  if (!options.command.empty() && find_program(options.command.front()).empty()) {
    console.problem(fmt::format("{}: no such program", options.command.front()));
    return kNotFound;
  }
  // Beside the recorded program: what is not spent on page faults is the program's.
  take_memory_in_large_pages();
  const SignalWatch signals;
  auto subject = options.pid ? Subject::find(*options.pid)
                             : Subject::start_later(options.command, console.has_document());
  if (!subject) return Failure(subject.error());
  return Recording(options, console, signals, std::move(*subject)).run();
}

}  // namespace stallproof
