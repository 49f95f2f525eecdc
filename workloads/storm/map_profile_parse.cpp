// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>

#include "workloads/storm/map_profile.h"

namespace stallproof {
namespace {

constexpr std::string_view kMagic = "stallproof-map-profile";
constexpr std::string_view kColumns = "time_us thread call address length prot flags";
constexpr std::size_t kPage = 4096;

// One text, line by line, with the place for messages.
class Lines {
 public:
  Lines(std::string_view text, std::string name) : rest_(text), name_(std::move(name)) {}
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    return line;
  }
  [[nodiscard]] Failure refuse(const std::string& what) const {
    return fail(fmt::format("{}:{}: {}", name_, number_, what));
  }
  [[nodiscard]] Failure refuse_word(std::string_view word, std::string_view what) const {
    return refuse(fmt::format("'{}': {}", word.substr(0, 60), what));
  }

 private:
  std::string_view rest_;
  std::string name_;
  std::size_t number_ = 0;
};

std::string_view take_word(std::string_view& line) {
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
  return word;
}

Result<> parse_first(Lines& lines) {
  std::string_view line = lines.next().value_or("");
  const std::string_view magic = take_word(line);
  if (magic != kMagic)
    return lines.refuse_word(magic, "not a map profile (its first word is stallproof-map-profile)");
  if (line != "1")
    return lines.refuse_word(line, "a version of map profiles that this program cannot read (1)");
  return {};
}

Result<> parse_header(Lines& lines, MapProfile& profile, std::uint64_t& calls) {
  std::uint64_t threads = 0;
  const std::map<std::string_view, std::string*> texts{
      {"comm", &profile.comm}, {"kernel", &profile.kernel}, {"started", &profile.started}};
  struct Number {
    std::uint64_t* into;
    std::uint64_t limit;
  };
  const std::map<std::string_view, Number> numbers{
      {"duration_us", {&profile.duration_us, kMaxProfileMicros}},
      {"threads", {&threads, kMaxProfileThreads}},
      {"calls", {&calls, kMaxProfileCalls}},
      {"lost", {&profile.lost, UINT64_MAX}},
      {"failed", {&profile.failed, UINT64_MAX}},
      {"left_out", {&profile.left_out, UINT64_MAX}}};
  std::map<std::string_view, bool> seen;
  while (const auto line = lines.next()) {
    if (*line == kColumns) break;
    std::string_view value = *line;
    const std::string_view key = take_word(value);
    if (seen[key]) return lines.refuse_word(key, "given twice");
    seen[key] = true;
    if (const auto text = texts.find(key); text != texts.end()) {
      *text->second = value;
      continue;
    }
    const auto number = numbers.find(key);
    if (number == numbers.end()) return lines.refuse_word(key, "not a line of the header");
    const auto parsed = number_of(value);
    if (!parsed) return lines.refuse_word(value, "not a whole number");
    if (*parsed > number->second.limit)
      return lines.refuse_word(value, fmt::format("at most {}", number->second.limit));
    *number->second.into = *parsed;
  }
  for (const auto& [key, into] : numbers)
    if (!seen[key]) return lines.refuse(fmt::format("the header has no line '{}'", key));
  profile.threads = static_cast<std::uint32_t>(threads);
  return {};
}

struct Row {
  std::string_view time, thread, call, address, length, prot, flags, more;
};

// nullopt when there are too few or too many words.
std::optional<Row> split_row(std::string_view line) {
  Row row;
  for (std::string_view* word :
       {&row.time, &row.thread, &row.call, &row.address, &row.length, &row.prot, &row.flags}) {
    *word = take_word(line);
    if (word->empty()) return std::nullopt;
  }
  row.more = take_word(line);
  return line.empty() ? std::optional(row) : std::nullopt;
}

// What is wrong with the word it names; nothing when all is well.
struct Fault {
  std::string_view word;
  std::string what;
};
using Check = std::optional<Fault>;

Check read_range(std::string_view address, std::string_view length, std::uint64_t& at,
                 std::uint64_t& size) {
  const auto first = number_of(address);
  if (!first || *first % kPage != 0 || *first >= kMapEnd)
    return Fault{address, "not the address of a page of user space"};
  const auto bytes = number_of(length);
  if (!bytes || *bytes > kMapEnd - *first)
    return Fault{length, "not a length up to the end of user space"};
  at = *first;
  size = *bytes;
  return std::nullopt;
}

Check read_child(const Row& row, std::uint32_t threads, MapOperation& operation) {
  const auto flags = number_of(row.flags);
  if (!flags) return Fault{row.flags, "not the flags of clone"};
  operation.flags = *flags;
  if (row.more.empty()) return std::nullopt;
  const auto child = row.more.starts_with("child=") ? number_of(row.more.substr(6)) : std::nullopt;
  if (!child || *child >= threads)
    return Fault{row.more, fmt::format("not child=N with a thread below {}", threads)};
  operation.child = static_cast<std::uint32_t>(*child);
  return std::nullopt;
}

Check read_origin(const Row& row, MapOperation& operation) {
  const std::size_t plus = row.more.find('+');
  if (!row.more.starts_with("from=") || plus == std::string_view::npos)
    return Fault{row.more, "not from=ADDRESS+LENGTH"};
  const auto flags = number_of(row.flags);
  if (!flags) return Fault{row.flags, "not the flags of mremap"};
  operation.flags = *flags;
  return read_range(row.more.substr(5, plus - 5), row.more.substr(plus + 1), operation.from_address,
                    operation.from_length);
}

Check read_arguments(const Row& row, std::uint32_t threads, MapOperation& operation) {
  const MapCall call = operation.call;
  if (call == MapCall::exit) return std::nullopt;
  if (call == MapCall::clone) return read_child(row, threads, operation);
  if (call == MapCall::brk) {
    const auto end = number_of(row.address);
    if (!end || *end >= kMapEnd) return Fault{row.address, "not an address of user space"};
    operation.address = *end;
    return std::nullopt;
  }
  if (auto bad = read_range(row.address, row.length, operation.address, operation.length))
    return bad;
  if (call == MapCall::mremap) return read_origin(row, operation);
  if (call == MapCall::mmap || call == MapCall::mprotect) {
    const auto prot = protection_of(row.prot);
    if (!prot) return Fault{row.prot, "not a protection (none, r, rw, rx, …)"};
    operation.prot = *prot;
  }
  if (call != MapCall::mmap && call != MapCall::madvise) return std::nullopt;
  const auto flags = call == MapCall::mmap ? mmap_flags_of(row.flags) : advice_of(row.flags);
  if (!flags)
    return Fault{row.flags, call == MapCall::mmap ? "not flags of mmap" : "not an advice"};
  operation.flags = *flags;
  return std::nullopt;
}

Check read_row(const Row& row, std::uint32_t threads, MapOperation& operation) {
  const auto time = number_of(row.time);
  if (!time || *time > kMaxProfileMicros) return Fault{row.time, "not a time in microseconds"};
  operation.at_us = *time;
  const auto thread = number_of(row.thread);
  if (!thread || *thread >= threads)
    return Fault{row.thread, fmt::format("not a thread below {}", threads)};
  operation.thread = static_cast<std::uint32_t>(*thread);
  const auto call = map_call_of(row.call);
  if (!call) return Fault{row.call, "not a call of map profiles"};
  operation.call = *call;
  const bool has_more = *call == MapCall::clone || *call == MapCall::mremap;
  if (!has_more && !row.more.empty()) return Fault{row.more, "one word too many"};
  return read_arguments(row, threads, operation);
}

}  // namespace

Result<MapProfile> parse_map_profile(std::string_view text, const std::string& name) {
  Lines lines(text, name);
  if (auto first = parse_first(lines); !first) return Failure(first.error());
  MapProfile profile;
  std::uint64_t calls = 0;
  if (auto header = parse_header(lines, profile, calls); !header) return Failure(header.error());
  std::vector<ThreadLife> lives(profile.threads, ThreadLife::unseen);
  while (const auto line = lines.next()) {
    if (profile.operations.size() == calls)
      return lines.refuse(fmt::format("more calls than the {} of the header", calls));
    const auto row = split_row(*line);
    if (!row) return lines.refuse_word(*line, "not seven columns");
    MapOperation operation;
    if (const auto bad = read_row(*row, profile.threads, operation))
      return lines.refuse_word(bad->word, bad->what);
    if (const auto bad = thread_contradiction(operation, lives); !bad.empty())
      return lines.refuse(bad);
    profile.operations.push_back(operation);
  }
  if (profile.operations.size() != calls)
    return lines.refuse(fmt::format("ends after {} of {} calls: the file is damaged",
                                    profile.operations.size(), calls));
  return profile;
}

}  // namespace stallproof
