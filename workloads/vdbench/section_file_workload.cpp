// SPDX-License-Identifier: Apache-2.0
#include <strings.h>

#include <algorithm>

#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

using FWD = FileWorkloadDefinition;

Result<> take_fsds(FWD& fwd, const Parameter& p, ParameterSet&) {
  fwd.fsds = p.words;
  return {};
}

Result<> take_reads(FWD& fwd, const Parameter& p, ParameterSet&) {
  return take_number(fwd.read_percent, p);
}

Result<> take_stop_after(FWD& fwd, const Parameter& p, ParameterSet&) {
  return take_number(fwd.stop_after, p);
}

Result<> take_operation(FWD& fwd, const Parameter& p, ParameterSet&) {
  if (p.words.size() != 1) return fault_in(p, "takes one operation (a run takes several)");
  const auto operation = file_operation(p.words[0]);
  if (!operation) return fault_in(p, fmt::format("unknown operation '{}'", p.words[0]));
  fwd.operation = *operation;
  return {};
}

Result<> take_midpoint(FWD& fwd, const Parameter& p, const std::string& text) {
  fwd.poisson_midpoint = plain_number(text).value_or(0);
  if (!(fwd.poisson_midpoint > 0))
    return fault_in(p, fmt::format("unknown file selection '{}'", text));
  return {};
}

Result<> take_file_select(FWD& fwd, const Parameter& p, ParameterSet&) {
  if (p.keyword != "fileselect" && p.written.size() > 1) return {};  // vdbench reads no such list
  for (const std::string& word : p.written) {
    const auto is = [&](std::string_view whole) { return whole.starts_with(word); };
    if (is("random")) {
      fwd.select_random = true;
    } else if (is("sequential") || word == "seqnz") {
      fwd.select_random = false;
    } else if (word == "once") {
      fwd.select_once = true;
    } else if (word == "poisson" || word == "skewed") {
      fwd.select_random = true;
      fwd.poisson_midpoint = 3;
    } else if (word == "full" || word == "empty" || word == "notfull") {
      continue;
    } else {
      const bool named = word.starts_with("midpoint=");
      fwd.select_random = fwd.select_random || named;
      if (auto taken = take_midpoint(fwd, p, named ? word.substr(9) : word); !taken) return taken;
    }
  }
  return {};
}

Result<> take_file_io(FWD& fwd, const Parameter& p, ParameterSet& all) {
  const auto first = first_word(p);
  if (!first) return Failure(first.error());
  const std::string second = p.words.size() > 1 ? p.words[1] : "";
  const auto is = [](std::string_view whole, const std::string& word) {
    return !word.empty() && whole.starts_with(word);
  };
  if (is("random", *first)) {
    fwd.sequential = false;
    fwd.share_files = is("shared", second);
    if (fwd.share_files && all.general.validate)
      return fault_in(p, "not together with data validation");
    return second.empty() || fwd.share_files ? Result<>() : fault_in(p, "only (random,shared)");
  }
  if (!is("sequential", *first) && *first != "seqnz")
    return fault_in(p, "only random or sequential");
  fwd.sequential = true;
  fwd.delete_first = is("delete", second);
  return second.empty() || fwd.delete_first ? Result<>() : fault_in(p, "only (sequential,delete)");
}

Result<> take_xfersizes(FWD& fwd, const Parameter& p, ParameterSet&) {
  if (p.numbers.empty()) return fault_in(p, "needs a size");
  fwd.xfersizes = p.numbers;
  double total = 0;
  for (std::size_t i = 1; i < p.numbers.size(); i += 2) total += p.numbers[i];
  if (p.numbers.size() > 1 && std::trunc(total) != 100)
    return fault_in(p, fmt::format("the shares make {:g} percent, not 100", total));
  return {};
}

Result<> take_skew(FWD& fwd, const Parameter& p, ParameterSet& all) {
  for (const HostDefinition& host : all.hosts)
    if (host.jvms > 1) return fault_in(p, "not together with jvms= above 1");
  return take_number(fwd.skew, p);
}

Result<> take_threads(FWD& fwd, const Parameter& p, ParameterSet&) {
  return take_whole(fwd.threads, p);
}

Result<> take_target(FWD& fwd, const Parameter& p, ParameterSet&) {
  const auto target = first_word(p);
  if (!target) return Failure(target.error());
  fwd.target = *target;
  return {};
}

Result<> take_hosts(FWD& fwd, const Parameter& p, ParameterSet& all) {
  fwd.hosts = p.words;
  for (const std::string& name : p.words)
    if (std::none_of(all.hosts.begin(), all.hosts.end(),
                     [&](const HostDefinition& host) { return host.label == name; }))
      return fault_in(p, fmt::format("there is no hd={} (no '*' here)", name));
  return {};
}

Result<> take_open_flags(FWD& fwd, const Parameter& p, ParameterSet&) {
  fwd.open_flags = open_flags_of(p);
  return {};
}

constexpr Keyword<FWD> kKeywords[] = {
    {"fsd", Match::exact, take_fsds},
    {"readpct", Match::prefix, take_reads},
    {"rdpct", Match::prefix, take_reads},
    {"stopafter", Match::prefix, take_stop_after},
    {"operation", Match::prefix, take_operation},
    {"fileselect", Match::prefix, take_file_select},
    {"fileio", Match::exact, take_file_io},
    {"xfersizes", Match::prefix, take_xfersizes},
    {"skew", Match::prefix, take_skew},
    {"threads", Match::prefix, take_threads},
    {"target", Match::prefix, take_target},
    {"host", Match::prefix, take_hosts},
    {"hd", Match::exact, take_hosts},
    {"openflags", Match::prefix, take_open_flags},
};

Result<FWD*> begin_workload(const Parameter& p, ParameterSet& all) {
  const std::string& name = p.words[0];
  if (name == "default") return &all.default_fwd;
  for (const FWD& fwd : all.fwds)
    if (::strcasecmp(fwd.name.c_str(), name.c_str()) == 0)
      return fault_in(p, fmt::format("fwd={} is defined twice", name));
  if (file_operation(name)) return fault_in(p, "a file workload may not be called as an operation");
  FWD made = all.default_fwd;
  made.name = name;
  made.place = p.place;
  if (name == "format") {  // used by format= runs alone
    made.xfersizes = {128 * 1024};
    all.format_fwd = std::move(made);
    return &all.format_fwd;
  }
  all.fwds.push_back(std::move(made));
  return &all.fwds.back();
}

Result<> check(const FWD& fwd) {
  const auto fault = [&](std::string_view what) {
    return fault_at(fwd.place, fmt::format("fwd={}: {}", fwd.name, what));
  };
  if (fwd.sequential && fwd.delete_first && fwd.read_percent != -1)
    return fault("fileio=(sequential,delete) and rdpct= exclude each other");
  if (fwd.fsds.empty()) return fault("no fsd=");
  if (fwd.share_files && fwd.select_random)
    return fault("fileio=(random,shared) and fileselect=random exclude each other");
  if (fwd.target && fwd.operation != FileOperation::move && fwd.operation != FileOperation::copy)
    return fault("target= needs operation=move or operation=copy");
  return {};
}

}  // namespace

Result<> read_file_workloads(Cursor& cursor, ParameterSet& all) {
  all.format_fwd.name = "format";
  all.format_fwd.xfersizes = {128 * 1024};
  all.format_fwd.threads = 8;
  FWD* current = nullptr;
  for (;; cursor.advance()) {
    const auto parameter = cursor.peek();
    if (!parameter) return Failure(parameter.error());
    if (parameter->keyword == "rd" || parameter->keyword == "wd") break;
    if (parameter->keyword == "fwd") {
      const auto name = first_word(*parameter);
      if (!name) return Failure(name.error());
      all.file_systems = true;
      const auto begun = begin_workload(*parameter, all);
      if (!begun) return Failure(begun.error());
      current = *begun;
      continue;
    }
    if (current == nullptr) return unknown_keyword(*parameter, "fwd");
    if (auto taken = take_parameter<FWD>(kKeywords, "fwd", *current, *parameter, all); !taken)
      return taken;
  }
  for (const FWD& fwd : all.fwds)
    if (auto good = check(fwd); !good) return good;
  return {};
}

}  // namespace stallproof
