// SPDX-License-Identifier: Apache-2.0
#include "workloads/fault/fault_options.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

namespace stallproof {
namespace {

constexpr WorkloadParameter kParameters[] = {
    {"hot-pages", "0", "touch only the first N pages of the file; 0: all"},
    {"file-size", "0", "make or lengthen the file to this size, filled with the pattern; 0: as is"},
    {"fault-mapping", "shared", "shared or private; the file never sees what a private one writes"},
    {"fault-writes", "0", "percent of the touches that write; the old content is verified first"},
    {"fault-order", "random", "sequential, random, or strided: every fault-stride-th page"},
    {"fault-stride", "16", "pages from one touch to the next of fault-order=strided"},
    {"fault-window", "1", "pages that are dropped at once, after all of them were touched"},
    {"fault-advice", "random", "madvise of the mapping: random (no readahead), normal, sequential"},
    {"fault-retouch", "pageout",
     "how a touched page is made to fault again: pageout, dontneed, remap, hole, truncate, "
     "external, none (it stays: no fault after the first)"},
    {"fault-msync", "off", "writes to a shared mapping are msynced: off, async, sync"},
    {"fault-msync-every", "1", "pages written by a thread between two msyncs"},
    {"fault-protect-every", "0", "write-protect the window after N writes; 0: never"},
    {"fault-huge", "unchanged", "large folios for the mapping: unchanged, on, off"},
    {"fault-start", "unchanged", "the page cache before the load: unchanged, cold, populated"},
    {"fault-mlock", "off", "lock the mapping: off, on, on-fault"},
    {"fault-begin", "at-once", "at-once, or armed: when a scenario is armed, and in a plan never"},
    {"file-part", "all", "all of the file, or a part of it: 2/3 is the second of three equal ones"},
    {"file-writers", "one", "one, or many: others write the same pages; verified loosely"},
    {"verify", "page", "compare the whole page, or for speed its first word: page, word"},
};

template <class Value>
struct Named {
  const char* name;
  Value value;
};

constexpr Named<bool> kMappings[] = {{"shared", false}, {"private", true}};
constexpr Named<PageOrder> kOrders[] = {{"sequential", PageOrder::sequential},
                                        {"random", PageOrder::random},
                                        {"strided", PageOrder::strided}};
constexpr Named<MappingAdvice> kAdvices[] = {{"random", MappingAdvice::random},
                                             {"normal", MappingAdvice::normal},
                                             {"sequential", MappingAdvice::sequential}};
constexpr Named<SyncWrites> kSyncs[] = {
    {"off", SyncWrites::off}, {"async", SyncWrites::async}, {"sync", SyncWrites::sync}};
constexpr Named<HugePages> kHuge[] = {
    {"unchanged", HugePages::unchanged}, {"on", HugePages::on}, {"off", HugePages::off}};
constexpr Named<StartState> kStarts[] = {{"unchanged", StartState::unchanged},
                                         {"cold", StartState::cold},
                                         {"populated", StartState::populated}};
constexpr Named<Locking> kLocking[] = {
    {"off", Locking::off}, {"on", Locking::on}, {"on-fault", Locking::on_fault}};
constexpr Named<bool> kBegins[] = {{"at-once", false}, {"armed", true}};
constexpr Named<bool> kVerify[] = {{"page", true}, {"word", false}};

// Reads one parameter after the other; the first that is wrong is what is told.
class Reader {
 public:
  explicit Reader(const Settings& settings) : settings_(settings) {}

  template <class Value, std::size_t Size>
  Value choice(const char* key, const Named<Value> (&table)[Size]) {
    std::vector<std::string> names;
    for (const auto& row : table) names.emplace_back(row.name);
    const auto name = settings_.choice(key, names.front(), names);
    if (!name) return note(name.error()), table[0].value;
    for (const auto& row : table)
      if (*name == row.name) return row.value;
    return table[0].value;
  }
  std::uint64_t count(const char* key, std::uint64_t least, std::uint64_t most) {
    const auto value = settings_.count(key, least);
    if (!value) return note(value.error()), least;
    if (*value < least || *value > most)
      note({fmt::format("{}: {} is not from {} to {}", key, *value, least, most)});
    return *value;
  }
  std::uint64_t bytes(const char* key) {
    const auto value = settings_.size(key, 0);
    if (!value) return note(value.error()), 0;
    return *value;
  }
  const Retouch* retouch(const char* key) {
    std::vector<std::string> names;
    for (const Retouch& row : retouch_table()) names.emplace_back(row.name);
    const auto name = settings_.choice(key, names.front(), names);
    if (!name) return note(name.error()), find_retouch(names.front());
    return find_retouch(*name);
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void note(const Error& error) {
    if (!error_) error_ = error;
  }
  const Settings& settings_;
  std::optional<Error> error_;
};

constexpr std::uint64_t kMostPages = 1ULL << 40U;
constexpr std::uint64_t kPage = 4096;

// Pairs that contradict each other.
std::optional<std::string> contradiction(const FaultOptions& options) {
  const bool changes = options.retouch->changes_file;
  if (options.private_mapping && changes)
    return fmt::format("fault-retouch: {} changes the file, which fault-mapping=private must not",
                       options.retouch->name);
  if (options.writes() && options.hot_pages != 0)
    return "fault-writes: pages have one writer, and hot-pages are everybody's (leave one out)";
  if (!options.writes() && options.sync != SyncWrites::off)
    return "fault-msync: nothing is written (add fault-writes=PERCENT)";
  if (options.private_mapping && options.sync != SyncWrites::off)
    return "fault-msync: a private mapping has nothing to write back (fault-mapping=shared)";
  if (!options.writes() && options.protect_every != 0)
    return "fault-protect-every: nothing is written (add fault-writes=PERCENT)";
  if (options.locking != Locking::off && !options.retouch->works_locked)
    return fmt::format(
        "fault-mlock: locked pages are not dropped by fault-retouch={} (use remap, hole, truncate "
        "or none)",
        options.retouch->name);
  if (options.share.shared() && changes)
    return fmt::format(
        "fault-retouch: {} changes the file under those who share it (file-part, "
        "file-writers)",
        options.retouch->name);
  if (options.file_size % kPage != 0)
    return fmt::format("file-size: {} is not a multiple of {}", options.file_size, kPage);
  return std::nullopt;
}

}  // namespace

Result<FaultOptions> read_fault_options(const Settings& settings) {
  Reader reader(settings);
  FaultOptions options;
  options.hot_pages = reader.count("hot-pages", 0, kMostPages);
  options.file_size = reader.bytes("file-size");
  options.private_mapping = reader.choice("fault-mapping", kMappings);
  options.write_percent = static_cast<unsigned>(reader.count("fault-writes", 0, 100));
  options.order = reader.choice("fault-order", kOrders);
  options.stride = reader.count("fault-stride", 1, kMostPages);
  options.window = reader.count("fault-window", 1, kMostPages);
  options.advice = reader.choice("fault-advice", kAdvices);
  options.retouch = reader.retouch("fault-retouch");
  options.sync = reader.choice("fault-msync", kSyncs);
  options.sync_every = reader.count("fault-msync-every", 1, kMostPages);
  options.protect_every = reader.count("fault-protect-every", 0, kMostPages);
  options.huge = reader.choice("fault-huge", kHuge);
  options.start = reader.choice("fault-start", kStarts);
  options.locking = reader.choice("fault-mlock", kLocking);
  options.begin_armed = reader.choice("fault-begin", kBegins);
  options.whole_pages = reader.choice("verify", kVerify);
  if (reader.error()) return Failure{*reader.error()};
  const auto share = read_file_share(settings);
  if (!share) return Failure{share.error()};
  options.share = *share;
  if (const auto clash = contradiction(options)) return fail(*clash);
  return options;
}

std::span<const WorkloadParameter> fault_parameters() { return kParameters; }

}  // namespace stallproof
