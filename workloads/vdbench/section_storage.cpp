// SPDX-License-Identifier: Apache-2.0
#include <strings.h>

#include <algorithm>

#include "harness/base/saturated.h"
#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

using SD = StorageDefinition;

Result<> take_hosts(SD& sd, const Parameter& p, ParameterSet&) {
  sd.host_lists.push_back(p.words);
  return {};
}

Result<> take_lun(SD& sd, const Parameter& p, ParameterSet&) {
  const auto lun = first_word(p);
  if (!lun) return Failure(lun.error());
  if (sd.name == "default") return fault_in(p, "sd=default takes no lun=");
  sd.luns.push_back(*lun);
  return {};
}

Result<> take_sd_count(SD& sd, const Parameter& p, ParameterSet&) {
  return take_count(sd.count_start, sd.count, p);
}

// size=(total,parts), threads=(total,parts)
Result<> take_size(SD& sd, const Parameter& p, ParameterSet&) {
  if (auto taken = take_number(sd.size, p); !taken) return taken;
  if (p.numbers.size() > 1) {
    if (std::trunc(p.numbers[1]) == 0) return fault_in(p, "divided by zero");
    sd.size /= std::trunc(p.numbers[1]);
  }
  return {};
}

Result<> take_threads(SD& sd, const Parameter& p, ParameterSet&) {
  if (auto taken = take_whole(sd.threads, p); !taken) return taken;
  if (p.numbers.size() > 1) sd.threads /= std::max(1, saturated<int>(p.numbers[1]));
  return {};
}

Result<> not_concatenated(const Parameter& p, const ParameterSet& all) {
  if (all.general.concatenate_sds) return fault_in(p, "not together with concatenatesds");
  return {};
}

Result<> take_hitarea(SD& sd, const Parameter& p, ParameterSet& all) {
  if (auto good = not_concatenated(p, all); !good) return good;
  return take_number(sd.hitarea, p);
}

Result<> take_offset(SD& sd, const Parameter& p, ParameterSet& all) {
  return take_multiple_of_512(sd.offset, p, all);
}

Result<> take_align(SD& sd, const Parameter& p, ParameterSet& all) {
  return take_multiple_of_512(sd.align, p, all);
}

Result<> ignore_any(SD&, const Parameter& p, ParameterSet& all) {
  all.general.ignored.push_back(p.keyword);
  return {};
}

Result<> ignore_word(SD&, const Parameter& p, ParameterSet& all) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  all.general.ignored.push_back(p.keyword);
  return {};
}

Result<> ignore_number(SD&, const Parameter& p, ParameterSet& all) {
  const auto number = first_number(p);
  if (!number) return Failure(number.error());
  all.general.ignored.push_back(p.keyword);
  return {};
}

Result<> no_replay(SD&, const Parameter& p, ParameterSet&) {
  return fault_in(p, "replay of traces is not supported");
}

Result<> take_open_flags(SD& sd, const Parameter& p, ParameterSet&) {
  sd.open_flags = open_flags_of(p);
  return {};
}

Result<> take_range(SD& sd, const Parameter& p, ParameterSet& all) {
  if (auto good = not_concatenated(p, all); !good) return good;
  return take_pair(sd.range, p);
}

Result<> no_streams(SD&, const Parameter& p, ParameterSet&) {
  return fault_in(p, "streams= belongs to the workload (wd=)");
}

constexpr Keyword<SD> kKeywords[] = {
    {"host", Match::prefix, take_hosts},        {"hd", Match::exact, take_hosts},
    {"lun", Match::prefix, take_lun},           {"count", Match::prefix, take_sd_count},
    {"size", Match::prefix, take_size},         {"threads", Match::prefix, take_threads},
    {"hitarea", Match::prefix, take_hitarea},   {"offset", Match::prefix, take_offset},
    {"align", Match::prefix, take_align},       {"kstat", Match::prefix, ignore_any},
    {"instance", Match::prefix, ignore_word},   {"replay", Match::prefix, no_replay},
    {"journal", Match::prefix, ignore_word},    {"resetlun", Match::prefix, ignore_number},
    {"resetbus", Match::prefix, ignore_number}, {"openflags", Match::prefix, take_open_flags},
    {"range", Match::prefix, take_range},       {"dedup", Match::begins, ignore_any},
    {"streams", Match::prefix, no_streams},
};

// name_%03d and its like: the text before, the width, the text behind.
Result<std::string> printed(const std::string& name, int number, const Place& place) {
  const std::size_t percent = name.find('%');
  const std::size_t letter = name.find_first_not_of("0123456789", percent + 1);
  const std::string width = name.substr(percent + 1, letter - percent - 1);
  if (letter == std::string::npos || name[letter] != 'd' || width.size() > 2 ||
      name.find('%', letter) != std::string::npos)
    return fault_at(place, fmt::format("'{}' with count= needs one %d or %03d", name));
  const int columns = width.empty() ? 0 : std::stoi(width);
  const std::string digits = width.starts_with('0') ? fmt::format("{:0{}d}", number, columns)
                                                    : fmt::format("{:{}d}", number, columns);
  return name.substr(0, percent) + digits + name.substr(letter + 1);
}

// name5, or where the name says so: name_%03d, name*x
Result<std::string> counted(const std::string& name, int number, const Place& place) {
  if (name.find('%') != std::string::npos) return printed(name, number, place);
  std::string out = name;
  if (out.find('*') == std::string::npos) return out + std::to_string(number);
  for (std::size_t at = 0; (at = out.find('*', at)) != std::string::npos;)
    out.replace(at, 1, std::to_string(number));
  return out;
}

Result<SD> numbered_copy(const SD& sd, int number) {
  SD copy = sd;
  auto name = counted(sd.name, number, sd.place);
  if (!name) return Failure(name.error());
  copy.name = *name;
  for (std::string& lun : copy.luns) {
    auto counted_lun = counted(lun, number, sd.place);
    if (!counted_lun) return Failure(counted_lun.error());
    lun = *counted_lun;
  }
  return copy;
}

Result<> give_to_hosts(const SD& sd, ParameterSet& all) {
  if (sd.luns.empty()) return fault_at(sd.place, fmt::format("sd={}: no lun=", sd.name));
  std::vector<Names> lists = sd.host_lists;
  if (lists.empty() && sd.luns.size() == 1) lists = {sd.hosts};
  if (lists.size() != sd.luns.size())
    return fault_at(sd.place, fmt::format("sd={}: lun= and host= come in pairs", sd.name));
  for (std::size_t i = 0; i < lists.size(); ++i)
    for (const std::string& wanted : lists[i]) {
      bool found = false;
      for (HostDefinition& host : all.hosts) {
        if (!matches_name(wanted, host.label) && !matches_name(wanted, host.address)) continue;
        found = true;
        if (!host.luns.emplace(sd.name, sd.luns[i]).second)
          return fault_at(sd.place, fmt::format("sd={} is defined twice", sd.name));
      }
      if (!found)
        return fault_at(sd.place, fmt::format("sd={}: there is no hd={}", sd.name, wanted));
    }
  return {};
}

Result<> check_name(const SD& sd, const ParameterSet& all) {
  if (::strcasecmp(sd.name.c_str(), "concat") == 0)
    return fault_at(sd.place, "an SD may not be called concat");
  if (sd.name.size() > 8 && (all.general.validate || !all.general.dedup.empty()))
    return fault_at(sd.place, fmt::format("sd={}: with data validation a name has at most 8 "
                                          "letters",
                                          sd.name));
  return {};
}

Result<> finish(ParameterSet& all) {
  if (auto expanded = expand_counts(all.sds, numbered_copy); !expanded) return expanded;
  for (const SD& sd : all.sds)
    if (auto given = give_to_hosts(sd, all); !given) return given;
  return {};
}

bool ends_section(const std::string& keyword) {
  return keyword == "wd" || keyword == "rd" || keyword == "fwd";
}

}  // namespace

Result<> read_storage(Cursor& cursor, ParameterSet& all) {
  SD defaults{.name = "default"};
  bool in_default = true, any = false;
  for (;; cursor.advance()) {
    const auto parameter = cursor.peek();
    if (!parameter) return Failure(parameter.error());
    if (ends_section(parameter->keyword)) return finish(all);
    if (parameter->keyword == "sd") {
      const auto name = first_word(*parameter);
      if (!name) return Failure(name.error());
      any = true;
      if (in_default && !defaults.host_lists.empty()) {
        defaults.hosts = defaults.host_lists.front();
        defaults.host_lists.clear();
      }
      in_default = *name == "default";
      if (in_default) continue;
      all.sds.push_back(defaults);
      all.sds.back().name = *name;
      all.sds.back().place = parameter->place;
      if (auto good = check_name(all.sds.back(), all); !good) return good;
      continue;
    }
    if (!any) return unknown_keyword(*parameter, "sd");
    SD& sd = in_default ? defaults : all.sds.back();
    if (auto taken = take_parameter<SD>(kKeywords, "sd", sd, *parameter, all); !taken) return taken;
  }
}

}  // namespace stallproof
