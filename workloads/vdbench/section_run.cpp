// SPDX-License-Identifier: Apache-2.0
#include <strings.h>

#include <algorithm>
#include <cmath>

#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

using RD = RunDefinition;

Result<> take_wds(RD& rd, const Parameter& p, ParameterSet&) {
  if (!rd.wds.empty()) return fault_in(p, "wd= comes once, with a list: wd=(wd1,wd2)");
  rd.wds = p.words;
  return {};
}

Result<> take_sds(RD& rd, const Parameter& p, ParameterSet&) {
  rd.sds = p.words;
  return {};
}

Result<> take_fsds(RD& rd, const Parameter& p, ParameterSet&) {
  rd.fsds = p.words;
  return {};
}

Result<> take_fwds(RD& rd, const Parameter& p, ParameterSet&) {
  rd.fwds = p.words;
  return {};
}

bool is_max(const Parameter& p) { return ::strcasecmp(p.words[0].c_str(), "max") == 0; }

Result<> take_iorate(RD& rd, const Parameter& p, ParameterSet&) {
  if (p.words.size() == 1 && p.words[0] == "curve") {
    rd.iorate = kCurveRate;
  } else if (p.words.size() == 1 && is_max(p)) {
    rd.iorate = kMaxRate;
  } else {
    if (p.numbers.empty()) return fault_in(p, "a rate is a number, max or curve");
    rd.iorate = p.numbers[0];
    if (p.numbers.size() > 1) rd.rates = p.numbers;
  }
  return {};
}

void add_loop(RD& rd, const std::string& name, const std::vector<double>& values) {
  std::erase_if(rd.loops, [&](const ForLoop& loop) { return loop.name == name; });
  rd.loops.push_back({name, values});
}

Result<> take_fwdrate(RD& rd, const Parameter& p, ParameterSet&) {
  if (p.words.size() == 1 && p.words[0] == "curve") {
    rd.fwdrate = kCurveRate;
  } else if (!p.words.empty() && is_max(p)) {
    rd.fwdrate = kMaxRate;
  } else {
    if (p.numbers.empty()) return fault_in(p, "a rate is a number, max or curve");
    rd.fwdrate = p.numbers.size() > 1 ? 1 : p.numbers[0];
    if (p.numbers.size() > 1) add_loop(rd, "fwdrate", p.numbers);
  }
  return {};
}

Result<> take_maxdata(RD& rd, const Parameter& p, ParameterSet& all) {
  const auto value = first_number(p);
  if (!value) return Failure(value.error());
  if (*value < 100 && all.file_systems)
    return fault_in(p, "below 100 it is a multiple of the size of the SDs: only with SDs");
  if (p.keyword != "maxdata" && p.keyword != "maxdataread" && p.keyword != "maxdatawritten")
    return unknown_keyword(p, "rd");
  (p.keyword == "maxdata"       ? rd.max_data
   : p.keyword == "maxdataread" ? rd.max_data_read
                                : rd.max_data_written) = *value;
  return {};
}

Result<> take_curve(RD& rd, const Parameter& p, ParameterSet&) {
  if (p.numbers.empty()) return fault_in(p, "needs percentages");
  rd.curve = p.numbers;
  return {};
}

Result<> take_stop_curve(RD& rd, const Parameter& p, ParameterSet&) {
  return take_number(rd.stop_curve, p);
}

Result<> take_seconds(double& into, const Parameter& p) {
  if (auto taken = take_number(into, p); !taken) return taken;
  into = std::trunc(into);
  return std::abs(into) > 1e12 ? Result<>(fault_in(p, "too long a time")) : Result<>();
}

Result<> take_elapsed(RD& rd, const Parameter& p, ParameterSet&) {
  return take_seconds(rd.elapsed, p);
}

Result<> take_interval(RD& rd, const Parameter& p, ParameterSet&) {
  return take_seconds(rd.interval, p);
}

Result<> take_warmup(RD& rd, const Parameter& p, ParameterSet&) {
  return take_seconds(rd.warmup, p);
}

Result<> take_pause(RD& rd, const Parameter& p, ParameterSet&) { return take_seconds(rd.pause, p); }

Result<> no_replay(RD&, const Parameter& p, ParameterSet&) {
  return fault_in(p, "replay of traces is not supported");
}

Result<> take_distribution(RD& rd, const Parameter& p, ParameterSet&) {
  for (const std::string& word : p.words) {
    std::string low = word;
    std::transform(low.begin(), low.end(), low.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto is = [&](std::string_view whole) { return whole.starts_with(low); };
    if (is("exponential") || is("uniform") || is("deterministic")) {
      rd.distribution = is("exponential") ? ArrivalDistribution::exponential
                        : is("uniform")   ? ArrivalDistribution::uniform
                                          : ArrivalDistribution::deterministic;
      continue;
    }
    if (!is("variable") && !is("spike"))
      return fault_in(p, fmt::format("unknown distribution '{}'", word));
    rd.bursts = true;
  }
  return {};
}

Result<> take_start_command(RD& rd, const Parameter& p, ParameterSet&) {
  rd.start_command = shell_command_of(p);
  return {};
}

Result<> take_end_command(RD& rd, const Parameter& p, ParameterSet&) {
  rd.end_command = shell_command_of(p);
  return {};
}

Result<> check_operations(const RD& rd, const Parameter& p, bool other) {
  if (other) return fault_in(p, "operations= and foroperations= exclude each other");
  if (p.words.empty()) return fault_in(p, "names no operation");
  for (const std::string& word : p.words)
    if (!file_operation(word)) return fault_in(p, fmt::format("unknown operation '{}'", word));
  static_cast<void>(rd);
  return {};
}

Result<> take_operations(RD& rd, const Parameter& p, ParameterSet&) {
  if (auto good = check_operations(rd, p, rd.for_operations); !good) return good;
  rd.operations = p.words;
  return {};
}

Result<> take_for_operations(RD& rd, const Parameter& p) {
  if (auto good = check_operations(rd, p, !rd.operations.empty()); !good) return good;
  std::vector<double> values;
  for (const std::string& word : p.words)
    values.push_back(static_cast<double>(*file_operation(word)));
  rd.for_operations = true;
  add_loop(rd, "operation", values);
  return {};
}

void take_format_word(FormatWish& wish, const std::string& word) {
  wish.wanted = true;
  wish.folders = wish.folders || std::string_view("directories").starts_with(word);
  wish.restart = wish.restart || word == "restart";
  wish.only = wish.only || word == "only" || word == "clean";
  wish.once = wish.once || word == "once";
  wish.clean = wish.clean || word == "clean";
  wish.limited = wish.limited || word == "limited";
  wish.complete = wish.complete || word == "complete";
}

Result<> take_format(RD& rd, const Parameter& p, ParameterSet&) {
  if (rd.name == "default") return fault_in(p, "not for rd=default");
  constexpr std::array kWords = {"restart", "only", "once", "clean", "limited", "complete"};
  const auto is = [](std::string_view whole, const std::string& word) {
    return whole.starts_with(word);
  };
  const bool no = std::any_of(p.words.begin(), p.words.end(),
                              [&](const std::string& word) { return is("no", word); });
  if (no) {
    rd.format.wanted = false;
    return {};
  }
  for (const std::string& word : p.words) {
    if (!is("directories", word) && !is("yes", word) &&
        std::find(kWords.begin(), kWords.end(), word) == kWords.end())
      return fault_in(p, fmt::format("unknown value '{}'", word));
    take_format_word(rd.format, word);
  }
  if (rd.format.complete) return fault_in(p, "complete says that nothing needs to be formatted");
  if (rd.format.limited && !rd.format.only) return fault_in(p, "limited needs (only,limited)");
  return {};
}

void override_format(FormatWish& wish, FormatOverride by) {
  wish.wanted = by != FormatOverride::no;
  wish.only = wish.only || by == FormatOverride::only;
}

Result<> take_open_flags(RD& rd, const Parameter& p, ParameterSet&) {
  rd.open_flags = open_flags_of(p);
  return {};
}

Result<> take_mount(RD&, const Parameter& p, ParameterSet& all) {
  if (std::none_of(all.hosts.begin(), all.hosts.end(),
                   [](const HostDefinition& host) { return host.mounts; }))
    return fault_in(p, "needs a host with mount= (hd=…,mount=)");
  const auto options = first_word(p);
  if (!options) return Failure(options.error());
  return options->starts_with("mount") ? Result<>(fault_in(p, "only the options of mount"))
                                       : Result<>();
}

// Keyword and the name the plan shows, first with `for` in front of them, then without.
struct LoopKeyword {
  std::string_view keyword, shown;
};
constexpr LoopKeyword kLoops[] = {
    {"xfersize", "xfersize"},  {"threads", "threads"},     {"rdpct", "rdpct"},
    {"rhpct", "rhpct"},        {"whpct", "whpct"},         {"seekpct", "seekpct"},
    {"hitarea", "hitarea"},    {"compratio", "comp"},      {"compression", "comp"},
    {"depth", "depth"},        {"width", "width"},         {"files", "files"},
    {"sizes", "sizes"},        {"totalsize", "totalsize"}, {"wss", "wss"},
    {"workingsetsize", "wss"},
};

// Whether the parameter is a loop. compression= is a percentage, compratio= the ratio it means.
Result<bool> take_loop(RD& rd, const Parameter& p, const ParameterSet& all) {
  for (const std::string_view prefix : {"for", ""}) {
    for (const LoopKeyword& loop : kLoops) {
      if (!(std::string(prefix) + std::string(loop.keyword)).starts_with(p.keyword)) continue;
      std::vector<double> values = p.numbers;
      if (values.empty()) return fault_in(p, "needs numbers");
      if (loop.keyword == "compression")
        for (double& value : values) value = std::round(100'000 / value) / 1000;
      if (loop.shown == "comp" && (all.general.validate || !all.general.dedup.empty()))
        return fault_in(p, "not together with data validation or dedup");
      add_loop(rd, std::string(loop.shown), values);
      return true;
    }
    if (!prefix.empty() && std::string_view("foroperations").starts_with(p.keyword)) {
      if (auto taken = take_for_operations(rd, p); !taken) return Failure(taken.error());
      return true;
    }
  }
  return false;
}

constexpr Keyword<RD> kBeforeLoops[] = {
    {"wd", Match::exact, take_wds},
    {"sd", Match::exact, take_sds},
    {"fsd", Match::exact, take_fsds},
    {"iorate", Match::prefix, take_iorate},
    {"maxdata", Match::begins, take_maxdata},
    {"curve", Match::prefix, take_curve},
    {"stopcurve", Match::prefix, take_stop_curve},
    {"elapsed", Match::prefix, take_elapsed},
    {"interval", Match::prefix, take_interval},
    {"warmup", Match::prefix, take_warmup},
    {"replay", Match::exact, no_replay},
    {"pause", Match::prefix, take_pause},
};

constexpr Keyword<RD> kAfterLoops[] = {
    {"distribution", Match::prefix, take_distribution},
    {"startcmd", Match::prefix, take_start_command},
    {"start_cmd", Match::prefix, take_start_command},
    {"endcmd", Match::prefix, take_end_command},
    {"end_cmd", Match::prefix, take_end_command},
    {"fwd", Match::exact, take_fwds},
    {"fwdrate", Match::prefix, take_fwdrate},
    {"operations", Match::prefix, take_operations},
    {"format", Match::prefix, take_format},
    {"openflags", Match::prefix, take_open_flags},
    {"mount", Match::prefix, take_mount},
};

Result<> take(RD& rd, const Parameter& p, ParameterSet& all) {
  for (const Keyword<RD>& keyword : kBeforeLoops)
    if (matches_keyword(keyword.name, keyword.match, p.keyword)) return keyword.take(rd, p, all);
  const auto loop = take_loop(rd, p, all);
  if (!loop) return Failure(loop.error());
  return *loop ? Result<>() : take_parameter<RD>(kAfterLoops, "rd", rd, p, all);
}

}  // namespace

Result<> read_runs(Cursor& cursor, ParameterSet& all) {
  RD defaults{.name = "default"};
  RD* current = nullptr;
  for (; !cursor.at_end(); cursor.advance()) {
    const auto parameter = cursor.peek();
    if (!parameter) return Failure(parameter.error());
    if (parameter->keyword == "rd") {
      const auto name = first_word(*parameter);
      if (!name) return Failure(name.error());
      current = &defaults;
      if (*name == "default") continue;
      for (const RD& rd : all.runs)
        if (rd.name == *name) return fault_in(*parameter, "defined twice");
      all.runs.push_back(defaults);
      current = &all.runs.back();
      current->name = *name;
      current->place = parameter->place;
      continue;
    }
    if (current == nullptr) return unknown_keyword(*parameter, "rd");
    if (auto taken = take(*current, *parameter, all); !taken) return taken;
  }
  if (all.format_override != FormatOverride::none && all.file_systems)
    for (RD& rd : all.runs) override_format(rd.format, all.format_override);
  if (all.runs.empty()) {
    const auto missing = cursor.peek();
    return Failure(missing.error());
  }
  return {};
}

}  // namespace stallproof
