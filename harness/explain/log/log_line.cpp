// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/log_line.h"

#include <algorithm>
#include <array>

#include "harness/explain/log/joined_lines.h"
#include "harness/explain/log/log_stamp.h"
#include "harness/explain/log/log_words.h"
#include "harness/probe/kmsg_record.h"

namespace stallproof {
namespace {

constexpr std::string_view kRsyslogNewline = "#012";
constexpr int kMostPrefixes = 16;  // on one line
constexpr int kMostJoined = 64;    // records on one line

std::uint64_t caller_key(std::string_view caller) {
  if (caller.empty() || (caller[0] != 'T' && caller[0] != 'C')) return 0;
  const auto number = leading_number(caller.substr(1));
  if (!number || *number < 0) return 0;
  return (static_cast<std::uint64_t>(*number) << 1U | (caller[0] == 'C' ? 1U : 0U)) + 2;
}

// "> ", ">> ", ">[": mail; never the kernel's "<TASK>". "```": a page of markdown. "7366   |" with
// a line that is drawn: a pager that counts.
bool take_quote(std::string_view& line) {
  if (line.empty()) return false;
  if (line[0] == '>' || line[0] == '`') {
    line.remove_prefix(1);
    return true;
  }
  std::string_view rest = line;
  while (!rest.empty() && is_digit(rest[0])) rest.remove_prefix(1);
  if (rest.size() == line.size()) return false;
  rest = trimmed(rest);
  if (!take_start(rest, "\xe2\x94\x82")) return false;
  line = rest;
  return true;
}

// "6.12.0-rc1," before the record of a net console that tells its kernel.
std::string_view without_release(std::string_view line) {
  constexpr std::size_t kLongestRelease = 65;
  const std::size_t end = line.substr(0, kLongestRelease).find(',');
  if (end == std::string_view::npos || line.substr(0, end).find('.') == std::string_view::npos)
    return line;
  return line.substr(end + 1);
}

// "6,1234,5678901,-,caller=T38;text"
bool take_record(std::string_view& whole, LogLine& out, std::string& room) {
  if (whole.empty() || !is_digit(whole[0])) return false;
  std::string_view line = without_release(whole);
  const std::size_t semicolon = line.substr(0, 200).find(';');
  if (semicolon == std::string_view::npos) return false;
  const std::string_view head = line.substr(0, semicolon);
  if (std::count(head.begin(), head.end(), ',') < 3) return false;
  KmsgRecord record;
  if (!parse_kmsg(line, record)) return false;
  out.by_process = out.by_process || !record.kernel;
  if (const std::uint64_t caller = caller_key(record.caller()); caller != 0) out.caller = caller;
  line.remove_prefix(semicolon + 1);
  if (line.find('\\') != std::string_view::npos) {
    room = record.text();
    line = room;
  }
  whole = line;
  return true;
}

// "<6>": facility * 8 + level.
bool take_priority(std::string_view& line, LogLine& out) {
  if (line.size() < 3 || line[0] != '<' || !is_digit(line[1])) return false;
  const std::size_t end = line.find('>');
  if (end == std::string_view::npos || end > 5) return false;
  const auto priority = leading_number(line.substr(1, end - 1));
  out.by_process = out.by_process || !priority || *priority >= 8;
  line.remove_prefix(end + 1);
  return true;
}

// dmesg -x: "kern  :err   : ".
bool take_facility(std::string_view& line, LogLine& out) {
  constexpr std::array<std::string_view, 12> kFacilities = {"kern", "user",   "mail",     "daemon",
                                                            "auth", "syslog", "lpr",      "news",
                                                            "uucp", "cron",   "authpriv", "ftp"};
  const std::size_t end = std::min(line.find_first_of(" :"), line.size());
  const std::string_view facility = line.substr(0, end);
  if (std::find(kFacilities.begin(), kFacilities.end(), facility) == kFacilities.end())
    return false;
  std::string_view rest = trimmed(line.substr(end));
  if (!take_start(rest, ":")) return false;
  const std::size_t level = rest.find(':');
  if (level == std::string_view::npos || level > 8) return false;
  out.by_process = out.by_process || facility != "kern";
  line = rest.substr(level + 1);
  return true;
}

bool is_blank(char letter) { return letter == ' ' || letter == '\t'; }

bool take_stamp(std::string_view& line, LogLine& out, std::string& room) {
  std::string_view caller;
  if (take_bracket(line, caller)) {
    if (const std::uint64_t key = caller_key(caller); key != 0) out.caller = key;
    return true;
  }
  return take_record(line, out, room) || take_priority(line, out) || take_date(line) ||
         take_facility(line, out) || take_origin(line);
}

// "\x1b[33m"
std::string without_colours(std::string_view raw) {
  std::string plain;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\x1b') {
      plain += raw[i];
      continue;
    }
    if (i + 1 < raw.size() && raw[i + 1] == '[') {
      ++i;
      while (i + 1 < raw.size() && (is_digit(raw[i + 1]) || raw[i + 1] == ';')) ++i;
      ++i;
    }
  }
  return plain;
}

}  // namespace

LogLine clean_line(std::string_view raw, std::string& room) {
  LogLine out;
  if (raw.find('\x1b') != std::string_view::npos) {
    room = without_colours(raw);
    raw = room;
  }
  for (int taken = 0; taken < kMostPrefixes; ++taken) {
    while (!raw.empty() && is_blank(raw.front())) raw.remove_prefix(1);
    if (take_quote(raw)) continue;
    std::string rewritten;
    if (!take_stamp(raw, out, rewritten)) break;
    out.stamped = true;
    if (rewritten.empty()) continue;
    room = std::move(rewritten);
    raw = room;
  }
  out.text = trimmed(raw);
  return out;
}

namespace {

using TakeLine = std::function<void(const LogLine&)>;

// What the second record of a line does not tell is that of the first.
void inherit(const LogLine& first, LogLine& next) {
  next.number = first.number;
  next.stamped = next.stamped || first.stamped;
  if (next.caller == 0) next.caller = first.caller;
  next.by_process = next.by_process || first.by_process;
}

void take_joined(LogLine line, std::string& room, const TakeLine& take) {
  for (int joined = 0; joined < kMostJoined; ++joined) {
    const std::size_t inner = joined_at(line.text, line.stamped);
    if (inner == std::string_view::npos) break;
    LogLine first = line;
    first.text = trimmed(line.text.substr(0, inner));
    take(first);
    LogLine next = clean_line(line.text.substr(inner), room);
    inherit(line, next);
    line = next;
  }
  take(line);
}

}  // namespace

void each_log_line(std::string_view text, const TakeLine& take) {
  std::string room;
  std::string_view before;
  std::uint64_t caller = 0;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (raw == before && has_fine_stamp(raw)) continue;
    before = raw;
    std::size_t split = raw.find(kRsyslogNewline);
    LogLine first = clean_line(raw.substr(0, split), room);
    first.number = number;
    // What has no stamp goes on with the record before it.
    caller = first.caller = first.stamped ? first.caller : caller;
    take_joined(first, room, take);
    first.text = {};
    while (split != std::string_view::npos) {
      raw.remove_prefix(split + kRsyslogNewline.size());
      split = raw.find(kRsyslogNewline);
      LogLine next = clean_line(raw.substr(0, split), room);
      inherit(first, next);
      take_joined(next, room, take);
    }
  }
}

}  // namespace stallproof
