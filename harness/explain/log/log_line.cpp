// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/log_line.h"

#include <algorithm>
#include <array>

#include "harness/explain/log/log_stamp.h"
#include "harness/explain/log/log_words.h"
#include "harness/probe/kmsg_record.h"

namespace stallproof {
namespace {

constexpr std::string_view kRsyslogNewline = "#012";
constexpr int kMostPrefixes = 16;  // on one line

std::uint64_t caller_key(std::string_view caller) {
  if (caller.empty() || (caller[0] != 'T' && caller[0] != 'C')) return 0;
  const auto number = leading_number(caller.substr(1));
  if (!number || *number < 0) return 0;
  return (static_cast<std::uint64_t>(*number) << 1U | (caller[0] == 'C' ? 1U : 0U)) + 2;
}

// "> ", ">> ", ">[": mail; never the kernel's "<TASK>".
bool take_quote(std::string_view& line) {
  if (line.empty() || line[0] != '>') return false;
  line.remove_prefix(1);
  return true;
}

// "6,1234,5678901,-,caller=T38;text"
bool take_record(std::string_view& line, LogLine& out, std::string& room) {
  if (line.empty() || !is_digit(line[0])) return false;
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

void each_log_line(std::string_view text, const std::function<void(const LogLine&)>& take) {
  std::string room;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::size_t split = raw.find(kRsyslogNewline);
    LogLine first = clean_line(raw.substr(0, split), room);
    first.number = number;
    take(first);
    while (split != std::string_view::npos) {
      raw.remove_prefix(split + kRsyslogNewline.size());
      split = raw.find(kRsyslogNewline);
      LogLine next = clean_line(raw.substr(0, split), room);
      next.number = number;
      next.stamped = first.stamped;
      if (next.caller == 0) next.caller = first.caller;
      next.by_process = next.by_process || first.by_process;
      take(next);
    }
  }
}

}  // namespace stallproof
