// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostBuckets = 64;

Result<> needs_number(General&, const Parameter& p, ParameterSet&) {
  const auto value = first_number(p);
  return value ? Result<>() : Failure(value.error());
}

Result<> ignore_any(General& general, const Parameter& p, ParameterSet&) {
  general.ignored.push_back(p.keyword);
  return {};
}

Result<> ignore_word(General& general, const Parameter& p, ParameterSet& all) {
  const auto word = first_word(p);
  return word ? ignore_any(general, p, all) : Failure(word.error());
}

Result<> ignore_number(General& general, const Parameter& p, ParameterSet& all) {
  if (auto number = needs_number(general, p, all); !number) return number;
  return ignore_any(general, p, all);
}

Result<> no_longer(General&, const Parameter& p, ParameterSet&) {
  return fault_in(p, "no longer supported, nor is it by vdbench on Linux");
}

// "yes", "Y", "no" …
Result<bool> yes_or_no(const Parameter& p) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  const char first = word->empty() ? ' ' : word->front();
  if (first == 'y' || first == 'Y') return true;
  if (first == 'n' || first == 'N') return false;
  return fault_in(p, "only yes or no");
}

Result<> take_format_sds(General& general, const Parameter& p, ParameterSet&) {
  const auto yes = yes_or_no(p);
  if (!yes) return Failure(yes.error());
  general.format_sds = *yes;
  return {};
}

Result<> take_concatenate(General& general, const Parameter& p, ParameterSet&) {
  const auto yes = yes_or_no(p);
  if (!yes) return Failure(yes.error());
  general.concatenate_sds = general.concatenate_sds || *yes;
  return {};
}

Result<> take_dedup(General& general, const Parameter& p, ParameterSet&) {
  constexpr std::array kKnown = {"dedupratio", "dedupunit",    "dedupacross",  "dedupmaxkey",
                                 "dedupsets",  "deduphotsets", "dedupflipflop"};
  if (std::find(kKnown.begin(), kKnown.end(), p.keyword) == kKnown.end())
    return fault_in(p, "unknown dedup parameter");
  const bool word = p.keyword == "dedupacross" || p.keyword == "dedupflipflop";
  if (word ? p.words.empty() : p.numbers.empty())
    return fault_in(p, word ? "needs a word" : "needs a number");
  general.dedup.push_back(p);
  general.ignored.push_back(p.keyword);
  return {};
}

Result<> check_dedup(const General& general) {
  if (general.dedup.empty()) return {};
  const Parameter *unit = nullptr, *ratio = nullptr;
  for (const Parameter& p : general.dedup) {
    if (p.keyword == "dedupunit") unit = &p;
    if (p.keyword == "dedupratio") ratio = &p;
    if (p.keyword == "deduphotsets" && p.numbers.size() % 2 != 0)
      return fault_in(p, "takes pairs of sets and blocks");
    if (p.keyword == "dedupsets" && p.numbers[0] == 0) return fault_in(p, "at least one");
  }
  if (unit == nullptr) return fault_in(general.dedup[0], "dedup needs dedupunit=");
  if (ratio == nullptr) return fault_in(general.dedup[0], "dedup needs dedupratio=");
  if (std::fmod(unit->numbers[0], 512) != 0) return fault_in(*unit, "must be a multiple of 512");
  if (ratio->numbers[0] < 1) return fault_in(*ratio, "must be at least 1");
  return {};
}

Result<> take_validate(General& general, const Parameter& p, ParameterSet&) {
  for (const std::string& word : p.words) {
    if (std::string_view("no").starts_with(word)) {
      general.validate = false;
      return {};
    }
    const auto is = [&](std::string_view whole) { return whole.starts_with(word); };
    if (!is("yes") && !is("read_after_write") && !is("no_preread") && word != "time" &&
        !is("ignore_zero_reads") && !is("reportdedupsets"))
      return fault_in(p, fmt::format("unknown value '{}'", word));
    general.validate = true;
    general.read_after_write = general.read_after_write || is("read_after_write");
    general.no_preread = general.no_preread || is("no_preread");
    general.keep_times = general.keep_times || word == "time";
  }
  return {};
}

Result<> take_journal(General& general, const Parameter& p, ParameterSet&) {
  for (const std::string& word : p.words) {
    if (word == "no") return {};
    const auto is = [&](std::string_view whole) { return whole.starts_with(word); };
    if (is("recover") || word == "only")
      return fault_in(p, "journal recovery is not supported (validate=yes and journal=yes are)");
    if (!is("yes") && !is("noflush") && word != "maponly" && !is("skip_read_all") &&
        !is("ignore_pending") && !word.starts_with("max="))
      return fault_in(p, fmt::format("unknown value '{}'", word));
    general.validate = true;
  }
  general.ignored.push_back(p.keyword);
  return {};
}

Result<> take_histogram(General& general, const Parameter& p, ParameterSet&) {
  const std::size_t given = p.words.size();
  if (given == 2 && p.words[0] != "default") return fault_in(p, "unknown histogram");
  if (given == 2 && !std::string_view("suppress").starts_with(p.words[1]))
    return fault_in(p, fmt::format("unknown option '{}'", p.words[1]));
  for (std::size_t i = 1; given > 2 && i < given; ++i) {
    std::string digits = p.words[i];
    if (std::string_view("ums").find(digits.back()) != std::string_view::npos) digits.pop_back();
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos)
      return fault_in(p, fmt::format("'{}' is no bucket (20, 20u, 5m, 1s)", p.words[i]));
  }
  if (given < 2 || given > kMostBuckets)
    return fault_in(p, "a name and at most 63 buckets, as in (default,100u,1m,1s)");
  general.ignored.push_back(p.keyword);
  return {};
}

Result<> take_message_scan(General& general, const Parameter& p, ParameterSet& all) {
  if (general.message_scan) return fault_in(p, "given twice");
  general.message_scan = true;
  return ignore_any(general, p, all);
}

Result<> take_loop(General& general, const Parameter& p, ParameterSet&) {
  std::string digits = p.written[0];
  if (!digits.empty() && std::string_view("smh").find(digits.back()) != std::string_view::npos)
    digits.pop_back();
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos)
    return fault_in(p, "takes a number of loops, or a time as 10s, 10m, 10h");
  general.ignored.push_back(p.keyword);
  return {};
}

// n, (n,seconds), remove, (remove,seconds) or a command
Result<> take_data_errors(General& general, const Parameter& p, ParameterSet&) {
  if (p.numbers.empty() && p.words.empty()) return fault_in(p, "needs a number or a command");
  if (!p.numbers.empty()) {
    general.data_errors.limit = p.numbers[0];
  } else if (p.words[0] == "remove") {
    general.not_executed.push_back("data_errors=remove");
  } else {
    general.data_errors = {.limit = 1, .command = p.words[0]};
  }
  return {};
}

// n, report, (report,n), (n,abort), (n,most), (n,script)
Result<> take_timeout(General& general, const Parameter& p, ParameterSet&) {
  constexpr double kDefaultSeconds = 60;
  TimeoutRule rule;
  for (const std::string& word : p.written) {
    if (!word.empty() && word.size() < 10 &&
        word.find_first_not_of("0123456789") == std::string::npos) {
      (rule.report_after == 0 ? rule.report_after : rule.abort_after) = std::stod(word);
    } else if (word == "abort") {
      rule.abort_after = rule.report_after;
    } else if (word != "report" || rule.report_after != 0) {
      rule.script = word;
    }
  }
  if (rule.report_after == 0) rule.report_after = kDefaultSeconds;
  general.timeout = rule;
  return {};
}

Result<> take_format_xfersize(General& general, const Parameter& p, ParameterSet&) {
  return take_number(general.format_xfersize, p);
}

Result<> take_create_anchors(General& general, const Parameter& p, ParameterSet&) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  general.create_anchors = word->starts_with("y");
  return {};
}

Result<> take_monitor(General& general, const Parameter& p, ParameterSet&) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  general.monitor = *word;
  return {};
}

Result<> take_start_command(General& general, const Parameter& p, ParameterSet&) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  general.start_command = shell_command_of(p);
  return {};
}

Result<> take_end_command(General& general, const Parameter& p, ParameterSet&) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  general.end_command = shell_command_of(p);
  return {};
}

Result<> two_words(General& general, const Parameter& p, ParameterSet& all) {
  return p.words.size() == 2 ? ignore_any(general, p, all) : fault_in(p, "takes two names");
}

Result<> take_seed(General& general, const Parameter& p, ParameterSet& all) {
  if (p.numbers.empty() && (p.words.empty() || p.words[0] != "tod"))
    return fault_in(p, "a number or tod");
  return ignore_any(general, p, all);
}

constexpr Keyword<General> kKeywords[] = {
    {"compression", Match::exact, ignore_number},
    {"compratio", Match::prefix, ignore_number},
    {"compressionseed", Match::prefix, take_seed},
    {"dedup", Match::begins, take_dedup},
    {"port", Match::prefix, ignore_number},
    {"pattern", Match::prefix, ignore_word},
    {"data_errors", Match::prefix, take_data_errors},
    {"dataerrors", Match::prefix, take_data_errors},
    {"swat", Match::prefix, no_longer},
    {"validate", Match::prefix, take_validate},
    {"journal", Match::exact, take_journal},
    {"startcmd", Match::exact, take_start_command},
    {"start_cmd", Match::exact, take_start_command},
    {"endcmd", Match::exact, take_end_command},
    {"end_cmd", Match::exact, take_end_command},
    {"heartbeat_error", Match::exact, ignore_word},
    {"debug", Match::exact, ignore_number},
    {"unix2windows", Match::prefix, two_words},
    {"formatxfersize", Match::prefix, take_format_xfersize},
    {"create_anchors", Match::prefix, take_create_anchors},
    {"formatsds", Match::prefix, take_format_sds},
    {"report", Match::prefix, ignore_any},
    {"report_run_totals", Match::prefix, ignore_word},
    {"histogram", Match::prefix, take_histogram},
    {"psrset", Match::prefix, no_longer},
    {"auxreport", Match::prefix, ignore_any},
    {"monitor", Match::prefix, take_monitor},
    {"concatenatesds", Match::prefix, take_concatenate},
    {"messagescan", Match::prefix, take_message_scan},
    {"abort_failed_skew", Match::prefix, needs_number},
    {"misc", Match::prefix, ignore_any},
    {"pattern_buffer", Match::exact, ignore_number},
    {"showlba", Match::exact, ignore_word},
    {"loop", Match::exact, take_loop},
    {"timeout", Match::prefix, take_timeout},
    {"ios_per_jvm", Match::prefix, ignore_number},
    {"fwd_thread_adjust", Match::prefix, ignore_any},
};

bool ends_section(const std::string& keyword) {
  constexpr std::array kNext = {"rg", "sd", "fsd", "wd", "fwd", "rd", "hd", "host"};
  return std::find(kNext.begin(), kNext.end(), keyword) != kNext.end();
}

}  // namespace

Result<> read_general(Cursor& cursor, ParameterSet& all) {
  for (;; cursor.advance()) {
    const auto parameter = cursor.peek();
    if (!parameter) return Failure(parameter.error());
    if (!ends_section(parameter->keyword)) {
      if (auto taken = take_parameter<General>(kKeywords, "general", all.general, *parameter, all);
          !taken)
        return taken;
      continue;
    }
    if (auto good = check_dedup(all.general); !good) return good;
    if (all.general.concatenate_sds && all.general.format_sds)
      return fault_in(*parameter, "concatenatesds= and formatsds= exclude each other");
    if (all.general.concatenate_sds && all.general.validate)
      return fault_in(*parameter, "concatenatesds= and data validation exclude each other");
    return {};
  }
}

}  // namespace stallproof
