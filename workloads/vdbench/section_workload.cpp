// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

using WD = WorkloadDefinition;

Result<> take_sds(WD& wd, const Parameter& p, ParameterSet&) {
  if (p.words.empty()) return fault_in(p, "names no SD");
  wd.sds = p.words;
  return {};
}

// size; (size,share,size,share …); (least,most,align)
Result<> take_xfersize(WD& wd, const Parameter& p, ParameterSet&) {
  const std::vector<double>& x = p.numbers;
  if (x.empty()) return fault_in(p, "needs a size");
  wd.xfersizes = x;
  if (x.size() == 1) return {};
  if (x.size() == 3) {
    if (x[0] >= x[1]) return fault_in(p, "(least,most,align): the least is not below the most");
    if (x[2] == 0 || std::fmod(x[2], 512) != 0)
      return fault_in(p, "(least,most,align): align is a multiple of 512, above zero");
    return {};
  }
  if (x.size() % 2 != 0) return fault_in(p, "takes pairs of size and share, as in (4k,60,8k,40)");
  double total = 0;
  for (std::size_t i = 0; i < x.size(); i += 2) {
    if (std::fmod(x[i], 512) != 0)
      return fault_in(p, fmt::format("{:.0f} is no multiple of 512 bytes", x[i]));
    total += x[i + 1];
  }
  if (std::lround(total) != 100)
    return fault_in(p, fmt::format("the shares make {:g} percent, not 100", total));
  return {};
}

Result<> take_skew(WD& wd, const Parameter& p, ParameterSet&) { return take_number(wd.skew, p); }

Result<> take_reads(WD& wd, const Parameter& p, ParameterSet&) {
  if (auto taken = take_number(wd.read_percent, p); !taken) return taken;
  wd.read_percent = std::trunc(wd.read_percent);
  return {};
}

Result<> take_writes(WD& wd, const Parameter& p, ParameterSet& all) {
  if (auto taken = take_reads(wd, p, all); !taken) return taken;
  wd.read_percent = 100 - wd.read_percent;
  return {};
}

Result<> take_range(WD& wd, const Parameter& p, ParameterSet&) { return take_pair(wd.range, p); }

Result<> take_hotband(WD& wd, const Parameter& p, ParameterSet&) {
  wd.hotband = true;
  return take_pair(wd.range, p);
}

Result<> take_seek(WD& wd, const Parameter& p, ParameterSet&) {
  for (const std::string& word : p.written) {
    const auto is = [&](std::string_view whole) { return whole.starts_with(word); };
    if (is("sequential") || word == "seqnz") {
      wd.seek_percent = 0;
      wd.skip_first = word == "seqnz";
    } else if (word == "eof" || word == "EOF") {
      wd.seek_percent = -1;
    } else if (is("random")) {
      wd.seek_percent = 100;
    } else if (is("poisson")) {
      wd.seek_percent = 100;
      wd.poisson_midpoint = 3;
    } else if (const auto number = plain_number(word)) {
      (wd.poisson_midpoint == 0 ? wd.seek_percent : wd.poisson_midpoint) = *number;
    } else {
      return fault_in(p, fmt::format("'{}' is neither random, sequential, seqnz, eof, poisson nor "
                                     "a number",
                                     word));
    }
  }
  return {};
}

Result<> take_stride(WD& wd, const Parameter& p, ParameterSet&) {
  if (p.numbers.size() != 2) return fault_in(p, "takes two numbers, (least,most)");
  if (p.numbers[1] < p.numbers[0]) return fault_in(p, "the most is below the least");
  wd.stride = {p.numbers[0], p.numbers[1]};
  return {};
}

Result<> take_priority(WD& wd, const Parameter& p, ParameterSet&) {
  int priority = 0;
  if (auto taken = take_whole(priority, p); !taken) return taken;
  if (priority == 0) return fault_in(p, "may not be zero");
  wd.priority = priority;
  return {};
}

Result<> take_rate(WD& wd, const Parameter& p, ParameterSet&) {
  if (p.numbers.size() > 1) return fault_in(p, "the rate of a workload is one number");
  return take_number(wd.iorate, p);
}

Result<> take_hits(double& into, const Parameter& p, const ParameterSet& all) {
  if (all.general.concatenate_sds) return fault_in(p, "not together with concatenatesds");
  return take_number(into, p);
}

Result<> take_read_hits(WD& wd, const Parameter& p, ParameterSet& all) {
  return take_hits(wd.read_hits, p, all);
}

Result<> take_write_hits(WD& wd, const Parameter& p, ParameterSet& all) {
  return take_hits(wd.write_hits, p, all);
}

Result<> take_hosts(WD& wd, const Parameter& p, ParameterSet&) {
  wd.hosts = p.words;
  return {};
}

Result<> take_open_flags(WD& wd, const Parameter& p, ParameterSet&) {
  wd.open_flags = open_flags_of(p);
  return {};
}

Result<> take_user(WD& wd, const Parameter&, ParameterSet&) {
  wd.user_class = true;
  return {};
}

Result<> take_threads(WD& wd, const Parameter& p, ParameterSet& all) {
  if (!all.general.concatenate_sds)
    return fault_in(p, "threads= of a workload needs concatenatesds=yes (else give it to the SD)");
  return take_whole(wd.threads, p);
}

Result<> take_streams(WD& wd, const Parameter& p, ParameterSet&) {
  if (auto taken = take_whole(wd.streams, p); !taken) return taken;
  return wd.streams < 2 ? Result<>(fault_in(p, "at least two streams")) : Result<>();
}

constexpr Keyword<WD> kKeywords[] = {
    {"sd", Match::exact, take_sds},
    {"skew", Match::prefix, take_skew},
    {"xfersize", Match::prefix, take_xfersize},
    {"readpct", Match::prefix, take_reads},
    {"rdpct", Match::prefix, take_reads},
    {"writepct", Match::prefix, take_writes},
    {"wrpct", Match::prefix, take_writes},
    {"range", Match::prefix, take_range},
    {"hotband", Match::prefix, take_hotband},
    {"seekpct", Match::prefix, take_seek},
    {"stride", Match::prefix, take_stride},
    {"priority", Match::prefix, take_priority},
    {"iorate", Match::prefix, take_rate},
    {"rhpct", Match::prefix, take_read_hits},
    {"whpct", Match::prefix, take_write_hits},
    {"host", Match::prefix, take_hosts},
    {"hd", Match::exact, take_hosts},
    {"openflags", Match::prefix, take_open_flags},
    {"user", Match::exact, take_user},
    {"threads", Match::prefix, take_threads},
    {"streams", Match::prefix, take_streams},
};

Result<> begin_workload(const Parameter& p, ParameterSet& all) {
  const std::string& name = p.words[0];
  for (const WD& wd : all.wds)
    if (wd.name == name) return fault_in(p, fmt::format("wd={} is defined twice", name));
  all.wds.push_back(all.default_wd);
  all.wds.back().name = name;
  all.wds.back().place = p.place;
  return {};
}

Result<> finish(const ParameterSet& all) {
  for (const WD& wd : all.wds)
    if (wd.skew != 0 && wd.iorate != 0)
      return fault_at(wd.place,
                      fmt::format("wd={}: iorate= and skew= exclude each other", wd.name));
  return {};
}

}  // namespace

Result<> read_workloads(Cursor& cursor, ParameterSet& all) {
  WD* current = nullptr;
  for (;; cursor.advance()) {
    const auto parameter = cursor.peek();
    if (!parameter) return Failure(parameter.error());
    if (parameter->keyword == "fwd" || parameter->keyword == "rd") return finish(all);
    if (parameter->keyword == "wd") {
      const auto name = first_word(*parameter);
      if (!name) return Failure(name.error());
      if (*name != "default")
        if (auto begun = begin_workload(*parameter, all); !begun) return begun;
      current = *name == "default" ? &all.default_wd : &all.wds.back();
      continue;
    }
    if (current == nullptr) return unknown_keyword(*parameter, "wd");
    if (auto taken = take_parameter<WD>(kKeywords, "wd", *current, *parameter, all); !taken)
      return taken;
  }
}

}  // namespace stallproof
