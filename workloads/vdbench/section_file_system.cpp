// SPDX-License-Identifier: Apache-2.0
#include <strings.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

using FSD = FileSystemDefinition;

constexpr int kMostFilesInAFolder = 10'000'000;

Result<> take_anchor(FSD& fsd, const Parameter& p, ParameterSet&) {
  const auto anchor = first_word(p);
  if (!anchor) return Failure(anchor.error());
  fsd.anchor = *anchor;
  return {};
}

Result<> ignore_word(FSD&, const Parameter& p, ParameterSet& all) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  all.general.ignored.push_back(p.keyword);
  return {};
}

Result<> no_host(FSD&, const Parameter& p, ParameterSet&) {
  return fault_in(p, "host= belongs to the file workload (fwd=)");
}

Result<> take_width(FSD& fsd, const Parameter& p, ParameterSet&) {
  return take_whole(fsd.width, p);
}

Result<> take_depth(FSD& fsd, const Parameter& p, ParameterSet&) {
  return take_whole(fsd.depth, p);
}

Result<> take_sizes(FSD& fsd, const Parameter& p, ParameterSet&) {
  if (p.numbers.empty()) return fault_in(p, "needs a size");
  fsd.sizes = p.numbers;
  return {};
}

Result<> take_shared(FSD& fsd, const Parameter& p, ParameterSet&) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  fsd.shared = word->starts_with('y') || word->starts_with('Y');
  return {};
}

Result<> take_divided(double& into, const Parameter& p) {
  if (auto taken = take_number(into, p); !taken) return taken;
  if (p.numbers.size() > 1) {
    if (std::trunc(p.numbers[1]) == 0) return fault_in(p, "divided by zero");
    into = std::trunc(into / std::trunc(p.numbers[1]));
  }
  return {};
}

Result<> take_working_set(FSD& fsd, const Parameter& p, ParameterSet&) {
  return take_divided(fsd.working_set, p);
}

Result<> take_total_size(FSD& fsd, const Parameter& p, ParameterSet&) {
  if (auto taken = take_divided(fsd.total_size, p); !taken) return taken;
  return fsd.total_size < 0 ? Result<>(fault_in(p, "a percentage only in a run (rd=)"))
                            : Result<>();
}

Result<> take_files(FSD& fsd, const Parameter& p, ParameterSet&) {
  return take_whole(fsd.files, p);
}

Result<> take_distribution(FSD& fsd, const Parameter& p, ParameterSet&) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  if (*word != "bottom" && *word != "all") return fault_in(p, "only bottom or all");
  fsd.files_in_all_folders = *word == "all";
  return {};
}

Result<> no_cleanup(FSD&, const Parameter& p, ParameterSet&) {
  return fault_in(p, "obsolete in vdbench too (format=clean does it)");
}

Result<> take_open_flags(FSD& fsd, const Parameter& p, ParameterSet&) {
  fsd.open_flags = open_flags_of(p);
  return {};
}

Result<> ignore_any(FSD&, const Parameter& p, ParameterSet& all) {
  all.general.ignored.push_back(p.keyword);
  return {};
}

Result<> take_fsd_count(FSD& fsd, const Parameter& p, ParameterSet&) {
  return take_count(fsd.count_start, fsd.count, p);
}

Result<> no_dedup(FSD&, const Parameter& p, ParameterSet&) {
  return fault_in(p, "dedup parameters are general ones, not of an FSD");
}

constexpr Keyword<FSD> kKeywords[] = {
    {"anchor", Match::prefix, take_anchor},
    {"journal", Match::prefix, ignore_word},
    {"host", Match::prefix, no_host},
    {"hd", Match::exact, no_host},
    {"width", Match::prefix, take_width},
    {"depth", Match::prefix, take_depth},
    {"sizes", Match::prefix, take_sizes},
    {"shared", Match::prefix, take_shared},
    {"wss", Match::prefix, take_working_set},
    {"workingsetsize", Match::prefix, take_working_set},
    {"total_size", Match::prefix, take_total_size},
    {"totalsize", Match::prefix, take_total_size},
    {"files", Match::prefix, take_files},
    {"distribution", Match::prefix, take_distribution},
    {"cleanup", Match::prefix, no_cleanup},
    {"openflags", Match::prefix, take_open_flags},
    {"log", Match::exact, ignore_word},
    {"mask", Match::exact, ignore_any},
    {"count", Match::prefix, take_fsd_count},
    {"cloud", Match::exact, ignore_any},
    {"dedup", Match::begins, no_dedup},
};

Result<> check_anchors(const std::vector<FSD>& fsds) {
  for (const FSD& fsd : fsds)
    if (fsd.anchor.empty()) return fault_at(fsd.place, fmt::format("fsd={}: no anchor=", fsd.name));
  for (std::size_t i = 0; i < fsds.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const std::string a = fsds[i].anchor + "/", b = fsds[j].anchor + "/";
      if (a != b && (a.starts_with(b) || b.starts_with(a)))
        return fault_at(fsds[i].place, fmt::format("anchors {} and {} lie one inside the other",
                                                   fsds[j].anchor, fsds[i].anchor));
    }
  return {};
}

// One size; (average,0); or pairs of a size and its share.
Result<> check_sizes(FSD& fsd) {
  if (fsd.sizes.size() == 2 && fsd.sizes[1] == 0) return {};
  if (fsd.files <= 0)
    return fault_at(fsd.place, fmt::format("fsd={}: files= is not above zero", fsd.name));
  if (fsd.files > kMostFilesInAFolder)
    return fault_at(fsd.place,
                    fmt::format("fsd={}: more than 10 million files in a folder", fsd.name));
  if (fsd.sizes.size() == 1) return {};
  double total = 0;
  for (std::size_t i = 1; i < fsd.sizes.size(); i += 2) {
    fsd.sizes[i - 1] = std::trunc(fsd.sizes[i - 1]);
    total += fsd.sizes[i];
  }
  if (fsd.sizes.size() % 2 != 0 || std::trunc(total) != 100)
    return fault_at(fsd.place, fmt::format("fsd={}: sizes= is one size, or pairs of a size and a "
                                           "share that make 100 percent",
                                           fsd.name));
  return {};
}

Result<FSD> numbered_copy(const FSD& fsd, int number) {
  FSD copy = fsd;
  copy.name += std::to_string(number);
  copy.anchor += std::to_string(number);
  return copy;
}

Result<> begin_file_system(const Parameter& p, const FSD& defaults, ParameterSet& all) {
  const std::string& name = p.words[0];
  for (const FSD& fsd : all.fsds)
    if (::strcasecmp(fsd.name.c_str(), name.c_str()) == 0 && fsd.count == 0)
      return fault_in(p, fmt::format("fsd={} is defined twice", name));
  if (all.general.validate && name.size() > 8)
    return fault_in(p, "with data validation a name has at most 8 letters");
  all.fsds.push_back(defaults);
  all.fsds.back().name = name;
  all.fsds.back().place = p.place;
  return {};
}

Result<> finish(ParameterSet& all) {
  if (auto good = check_anchors(all.fsds); !good) return good;
  for (FSD& fsd : all.fsds)
    if (auto good = check_sizes(fsd); !good) return good;
  if (auto expanded = expand_counts(all.fsds, numbered_copy); !expanded) return expanded;
  std::set<std::string> names;
  for (const FSD& fsd : all.fsds)
    if (!names.insert(fsd.name).second)
      return fault_at(fsd.place, fmt::format("fsd={} is defined twice", fsd.name));
  return {};
}

bool ends_section(const std::string& keyword) {
  return keyword == "rd" || keyword == "wd" || keyword == "fwd" || keyword == "sd";
}

}  // namespace

Result<> read_file_systems(Cursor& cursor, ParameterSet& all) {
  FSD defaults{.name = "default"};
  FSD* current = nullptr;
  for (;; cursor.advance()) {
    const auto parameter = cursor.peek();
    if (!parameter) return Failure(parameter.error());
    if (ends_section(parameter->keyword)) return finish(all);
    if (parameter->keyword == "fsd") {
      const auto name = first_word(*parameter);
      if (!name) return Failure(name.error());
      all.file_systems = true;
      if (*name != "default")
        if (auto begun = begin_file_system(*parameter, defaults, all); !begun) return begun;
      current = *name == "default" ? &defaults : &all.fsds.back();
      continue;
    }
    if (current == nullptr) return unknown_keyword(*parameter, "fsd");
    if (auto taken = take_parameter<FSD>(kKeywords, "fsd", *current, *parameter, all); !taken)
      return taken;
  }
}

}  // namespace stallproof
