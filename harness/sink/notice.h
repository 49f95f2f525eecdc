// SPDX-License-Identifier: Apache-2.0
// What is told to the outside of a run: one JSON object for each notice, and how it is handed to
// the process that delivers it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/base/clock.h"
#include "harness/sink/run_news.h"
#include "harness/store/verdict.h"

namespace stallproof {

// What every notice of a run has.
struct NoticeFrame {
  RunNews run;
  Nanos started_realtime_ns = 0;
};

// event, time, run, node, command, target, labels, paths, and what the event is about. Texts are
// cut to 2000 bytes, lists to 20 entries.
std::string stall_notice(const NoticeFrame& frame, std::string_view event, const StallNews& stall,
                         Nanos realtime_ns);
std::string blind_notice(const NoticeFrame& frame, std::string_view why, Nanos realtime_ns);
std::string verdict_notice(const NoticeFrame& frame, const Verdict& verdict, Nanos realtime_ns);

enum class NoticeKind { begin, stall, explained, resolved, blind, verdict, flush };

// One packet from the controller to the process that delivers.
struct NoticeMessage {
  NoticeKind kind = NoticeKind::flush;
  std::string id;           // of the incident; of flush: its number
  std::string key;          // what repeats itself: the signature, "blind: …"
  bool conclusive = false;  // no better explanation is to be expected
  std::string text;         // the notice; of begin: the run directory
};

std::string notice_packet(const NoticeMessage& message);
std::optional<NoticeMessage> read_notice_packet(std::string_view packet);

// What became of them, told back after a flush.
struct NoticeCounts {
  std::string asked;  // the id of that flush
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  std::uint64_t limited = 0;  // the same was told within the last 10 minutes
  std::uint64_t dropped = 0;  // for want of time or room
  std::string last_failure;   // "exit 1: connection refused"
};

std::string counts_packet(const NoticeCounts& counts);
std::optional<NoticeCounts> read_counts_packet(std::string_view packet);
// For the verdict; empty when all went well.
std::string counts_text(const NoticeCounts& counts);

}  // namespace stallproof
