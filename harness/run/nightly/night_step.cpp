// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night_step.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "harness/base/process.h"
#include "harness/base/units.h"

namespace stallproof {
namespace {

constexpr Nanos kPass = 200 * kMillisecond;
// A run heals, judges and saves when it is asked to end.
constexpr Nanos kEndsWithin = 180 * kSecond;
constexpr Nanos kDiesWithin = 10 * kSecond;
constexpr std::size_t kMostOfText = 1U << 20U;
constexpr std::size_t kMostOfLine = 500;

}  // namespace

// A command and the pipes of what it says.
class NightSteps::Running {
 public:
  Running(std::function<void(std::string_view)> told, std::string* into)
      : told_(std::move(told)), into_(into) {}

  Result<> start(const CommandWords& words) {
    auto said = Pipe::create();
    auto text = Pipe::create();
    if (!said) return Failure(said.error());
    if (!text) return Failure(text.error());
    const int out = into_ != nullptr ? text->write_end.get() : said->write_end.get();
    auto child = Child::spawn_command(words, out, said->write_end.get());
    if (!child) return Failure(child.error());
    child_ = std::move(*child);
    said_ = std::move(said->read_end);
    text_ = std::move(text->read_end);
    for (const Fd* end : {&said_, &text_}) ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
    return {};
  }

  // Until something comes, or a pass is over.
  void look(int signal_fd) {
    std::array<pollfd, 4> items{{{said_.get(), POLLIN, 0},
                                 {text_.get(), POLLIN, 0},
                                 {child_.pidfd(), POLLIN, 0},
                                 {signal_fd, POLLIN, 0}}};
    ::poll(items.data(), items.size(), static_cast<int>(kPass / kMillisecond));
    drain();
  }

  std::optional<int> ended() {
    const auto status = child_.try_reap();
    if (status) drain();
    return status;
  }
  void signal(int number) const { child_.signal(number); }
  [[nodiscard]] pid_t pid() const { return child_.pid(); }
  [[nodiscard]] const std::string& last_line() const { return last_line_; }

 private:
  void drain() {
    read_all(said_, [this](std::string_view text) { take_said(text); });
    read_all(text_, [this](std::string_view text) {
      if (into_ != nullptr && into_->size() < kMostOfText) *into_ += text;
    });
  }

  template <class Take>
  void read_all(Fd& from, const Take& take) {
    std::array<char, 4096> bytes;
    while (from.valid()) {
      const ssize_t n = ::read(from.get(), bytes.data(), bytes.size());
      if (n == 0) from.reset();  // a closed end would wake every poll
      if (n <= 0) return;
      take(std::string_view(bytes.data(), static_cast<std::size_t>(n)));
    }
  }

  void take_said(std::string_view text) {
    told_(text);
    for (const char c : text) {
      if (c == '\n') {
        if (!line_.empty()) last_line_ = line_;
        line_.clear();
      } else if (line_.size() < kMostOfLine) {
        line_ += c;
      }
    }
  }

  std::function<void(std::string_view)> told_;
  std::string* into_;
  Child child_;
  Fd said_, text_;
  std::string line_, last_line_;
};

void NightSteps::alive() { manager_.alive(true, monotonic_now()); }

// From a terminal the command has got it, too.
void NightSteps::take_signals(Running* running) {
  while (const auto came = signals_.next()) {
    interrupted_ = true;
    manager_.status("interrupted: ending what runs");
    if (running != nullptr && !came->from_terminal) running->signal(SIGTERM);
  }
}

Result<StepEnd> NightSteps::follow(Running& running, Nanos limit) {
  using Harder = std::pair<Nanos, int>;
  const std::array<Harder, 2> harder{{{kEndsWithin, SIGTERM}, {kDiesWithin, SIGKILL}}};
  std::string problem;
  Deadline deadline = Deadline::in(limit);
  std::size_t asked = 0;
  bool told_to_end = interrupted_;
  while (true) {
    running.look(signals_.fd());
    take_signals(&running);
    alive();
    if (interrupted_ && !told_to_end) {
      deadline = Deadline::in(kEndsWithin);
      asked = 1;  // it was told with us
    }
    told_to_end = interrupted_;
    if (const auto status = running.ended()) {
      const int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
      if (WIFSIGNALED(*status) && problem.empty()) problem = describe_status(*status);
      return StepEnd{code, problem, running.last_line()};
    }
    if (!deadline.passed()) continue;
    if (asked == harder.size())
      return StepEnd{3, fmt::format("process {} cannot be ended, and is left", running.pid()),
                     running.last_line()};
    problem = interrupted_ ? "did not end when it was asked to"
                           : fmt::format("did not end in {}", format_duration(limit));
    running.signal(harder[asked].second);
    deadline = Deadline::in(harder[asked++].first);
  }
}

Result<StepEnd> NightSteps::run(const CommandWords& words, Nanos limit) {
  Running running(told_, nullptr);
  if (auto started = running.start(words); !started) return Failure(started.error());
  return follow(running, limit);
}

Result<StepEnd> NightSteps::run_for_text(const CommandWords& words, Nanos limit,
                                         std::string& into) {
  Running running(told_, &into);
  if (auto started = running.start(words); !started) return Failure(started.error());
  return follow(running, limit);
}

bool NightSteps::wait(Nanos span) {
  const Deadline deadline = Deadline::in(span);
  do {
    take_signals(nullptr);
    alive();
    if (interrupted_) return false;
    pollfd item{signals_.fd(), POLLIN, 0};
    ::poll(&item, 1, std::min(deadline.poll_ms(), static_cast<int>(kPass / kMillisecond)));
  } while (!deadline.passed());
  return true;
}

}  // namespace stallproof
