// SPDX-License-Identifier: Apache-2.0
// Notices to the outside (--notify): stall, resolved, blind and verdict, each handed to a process
// of its own that runs the user's command; of what a mark allows nobody hears before it outlasts
// that. Controller, main thread; handing over never waits. Only
// at the end of a run what is pending is given its time: at most kPendingPatience before the
// verdict, kVerdictPatience after it. No outcome depends on a notice.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/process.h"
#include "harness/sink/allowed_stalls.h"
#include "harness/sink/console.h"
#include "harness/sink/notice.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

class Notices final : public RunListener, public PassListener {
 public:
  static constexpr Nanos kPendingPatience = 11 * kSecond;
  static constexpr Nanos kVerdictPatience = 22 * kSecond;

  // Before anything else is started. `command`: the first word is the path of a program that can be
  // run.
  static Result<std::unique_ptr<Notices>> start(const std::vector<std::string>& command,
                                                Console& console);
  ~Notices() override;

  void on_begin(const RunNews& news, std::shared_ptr<const FigureSource> source) override;
  void on_stall(const StallNews& news) override;
  void on_explained(const StallNews& news) override;
  void on_resolved(const StallNews& news) override;
  void on_blind(std::string_view why) override;
  void on_window(bool open) override { window_ = open; }
  void on_verdict(const Verdict& verdict) override;
  // Notices the end of the process, so that nobody else who waits for children stumbles over it.
  void on_pass(Nanos now, std::string_view phase) override;
  // Waits for what is pending.
  std::vector<std::string> notes() override;
  [[nodiscard]] std::vector<pid_t> processes() const override { return {child_.pid()}; }

 private:
  Notices(Child child, Fd socket, Console& console)
      : child_(std::move(child)), socket_(std::move(socket)), console_(console) {}
  void send(const NoticeMessage& message);
  void send_stall(NoticeKind kind, std::string_view event, const StallNews& news);
  // What became of all that was sent; nothing when the process does not say so in time.
  std::optional<NoticeCounts> settle(Nanos patience, std::string_view phase);
  [[nodiscard]] std::string trouble();

  Child child_;
  Fd socket_;
  Console& console_;
  NoticeFrame frame_;
  std::uint64_t unsent_ = 0, questions_ = 0;
  std::uint64_t failed_before_ = 0;
  bool window_ = false;
  AllowedStalls allowed_;
  bool told_end_ = false;
};

}  // namespace stallproof
