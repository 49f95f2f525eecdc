// SPDX-License-Identifier: Apache-2.0
#include "harness/base/toml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <charconv>
#include <optional>

#include "harness/base/units.h"

namespace stallproof {
namespace {

bool whole_number(std::string_view text, unsigned& into) {
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
  return failed == std::errc{} && rest == text.data() + text.size() && into < CPU_SETSIZE;
}

// "0-3,6". False when it is not that.
bool parse_cpus(std::string_view text, std::vector<unsigned>& into) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const auto dash = part.find('-');
    unsigned first = 0, last = 0;
    if (!whole_number(part.substr(0, dash), first)) return false;
    last = first;
    if (dash != std::string_view::npos && !whole_number(part.substr(dash + 1), last)) return false;
    if (last < first) return false;
    for (unsigned cpu = first; cpu <= last; ++cpu) into.push_back(cpu);
  }
  return !into.empty();
}

// As TOML itself reads it.
std::optional<toml::date> date_of(const std::string& text) {
  try {
    const toml::table table = toml::parse("date = " + text);
    const auto* const date = table["date"].as_date();
    return date == nullptr || table.size() != 1 ? std::nullopt : std::optional(date->get());
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace

void TomlProblems::add(const toml::source_region& where, const std::string& what) {
  if (first_.empty())
    first_ = fmt::format("{}:{}:{}: {}", source_, where.begin.line, where.begin.column, what);
}

const toml::node* TomlReader::find(std::string_view key) {
  asked_.emplace(key);
  return table_.get(key);
}

void TomlReader::problem(std::string_view key, const std::string& what) {
  const toml::node* const node = table_.get(key);
  problems_.add(node == nullptr ? table_.source() : node->source(),
                fmt::format("{}: {}: {}", heading_, key, what));
}

template <class Type>
const toml::value<Type>* TomlReader::find_as(std::string_view key, const char* wanted) {
  const toml::node* const node = find(key);
  if (node == nullptr) return nullptr;
  const auto* const value = node->as<Type>();
  if (value == nullptr) problem(key, fmt::format("is not {}", wanted));
  return value;
}

void TomlReader::text(std::string_view key, std::string& into) {
  if (const auto* value = find_as<std::string>(key, "a text in quotes")) into = value->get();
}

void TomlReader::flag(std::string_view key, bool& into) {
  if (const auto* value = find_as<bool>(key, "true or false")) into = value->get();
}

void TomlReader::duration(std::string_view key, Nanos& into) {
  std::string text;
  value(key, text);
  if (text.empty()) return;
  const auto parsed = parse_duration(text);
  if (parsed)
    into = *parsed;
  else
    problem(key, parsed.error().what);
}

void TomlReader::size(std::string_view key, std::uint64_t& into) {
  std::string text;
  value(key, text);
  if (text.empty()) return;
  const auto parsed = parse_size(text);
  if (parsed)
    into = *parsed;
  else
    problem(key, parsed.error().what);
}

void TomlReader::count(std::string_view key, std::uint64_t least, std::uint64_t most,
                       std::uint64_t& into) {
  const auto* const value = find_as<std::int64_t>(key, "a whole number");
  if (value == nullptr) return;
  if (value->get() < 0 || static_cast<std::uint64_t>(value->get()) < least ||
      static_cast<std::uint64_t>(value->get()) > most)
    return problem(key, fmt::format("{} is not between {} and {}", value->get(), least, most));
  into = static_cast<std::uint64_t>(value->get());
}

void TomlReader::number(std::string_view key, double least, double most, double& into) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value) return problem(key, "is not a number");
  if (!(*value >= least && *value <= most))
    return problem(key, fmt::format("{} is not between {} and {}", *value, least, most));
  into = *value;
}

void TomlReader::cpus(std::string_view key, std::vector<unsigned>& into) {
  constexpr const char* kWanted = "is not a list of CPUs (write \"0-3,6\" or [0, 1])";
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  std::vector<unsigned> found;
  if (const auto* text = node->as_string()) {
    if (!text->get().empty() && !parse_cpus(text->get(), found))
      return problem(key, fmt::format("'{}' {}", text->get(), kWanted));
  } else if (const toml::array* list = node->as_array()) {
    for (const toml::node& each : *list) {
      const auto cpu = each.is_integer() ? each.value<std::int64_t>() : std::nullopt;
      if (!cpu || *cpu < 0 || *cpu >= CPU_SETSIZE) return problem(key, kWanted);
      found.push_back(static_cast<unsigned>(*cpu));
    }
  } else {
    return problem(key, kWanted);
  }
  into = std::move(found);
}

void TomlReader::texts(std::string_view key, std::vector<std::string>& into) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  const toml::array* const list = node->as_array();
  if (list == nullptr) return problem(key, "is not a list of names in quotes");
  std::vector<std::string> found;
  for (const toml::node& each : *list) {
    if (each.as_string() == nullptr) return problem(key, "holds something that is not a name");
    found.push_back(each.as_string()->get());
  }
  into = std::move(found);
}

void TomlReader::value(std::string_view key, std::string& into) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  if (const auto* text = node->as_string()) {
    if (text->get().empty()) return problem(key, "is empty");
    into = text->get();
  } else if (const auto* whole = node->as_integer()) {
    into = fmt::format("{}", whole->get());
  } else if (const auto* broken = node->as_floating_point()) {
    into = fmt::format("{}", broken->get());
  } else {
    problem(key, "is neither a text in quotes nor a number");
  }
}

bool TomlReader::date(std::string_view key, toml::date& into) {
  const toml::node* const node = find(key);
  if (node == nullptr) return false;
  std::optional<toml::date> found;
  if (const auto* const plain = node->as_date()) found = plain->get();
  if (const auto* const quoted = node->as_string()) found = date_of(quoted->get());
  if (!found) {
    problem(key, "is not a date (2026-12-31)");
    return false;
  }
  into = *found;
  return true;
}

std::vector<const toml::table*> TomlReader::tables(std::string_view key) {
  std::vector<const toml::table*> found;
  const toml::node* const node = find(key);
  if (node == nullptr) return found;
  const toml::array* const list = node->as_array();
  if (list == nullptr) {
    problem(key, "is not a list of tables (write it with two brackets)");
    return found;
  }
  for (const toml::node& each : *list) {
    if (each.as_table() == nullptr) {
      problem(key, "holds something that is not a table");
      return found;
    }
    found.push_back(each.as_table());
  }
  return found;
}

const toml::table* TomlReader::table(std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr) problem(key, "is not a table");
  return node->as_table();
}

void TomlReader::require(std::string_view key, const std::string& why) {
  if (!has(key)) problem(key, "is missing" + why);
}

void TomlReader::refuse_unknown() {
  const toml::key* first = nullptr;
  for (const auto& entry : table_) {
    const toml::key& key = entry.first;
    if (asked_.contains(key.str())) continue;
    if (first == nullptr || key.source().begin.line < first->source().begin.line) first = &key;
  }
  if (first != nullptr)
    problems_.add(first->source(), fmt::format("{}: unknown key '{}' (known: {})", heading_,
                                               first->str(), fmt::join(asked_, ", ")));
}

}  // namespace stallproof
