// SPDX-License-Identifier: Apache-2.0
// One table of a TOML file, key by key. What is wrong is said with its place, once for the whole
// file: the first problem stays. A key that was never asked for is one.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/base/settings.h"

namespace stallproof {

class TomlProblems {
 public:
  explicit TomlProblems(std::string source) : source_(std::move(source)) {}
  void add(const toml::source_region& where, const std::string& what);
  [[nodiscard]] bool none() const { return first_.empty(); }
  [[nodiscard]] const std::string& first() const { return first_; }

 private:
  std::string source_, first_;
};

class TomlReader {
 public:
  // `heading`: how the table is called in errors, e.g. [[process]].
  TomlReader(const toml::table& table, std::string heading, TomlProblems& problems)
      : table_(table), heading_(std::move(heading)), problems_(problems) {}

  // Each leaves `into` as it is when the key is absent or wrong.
  void text(std::string_view key, std::string& into);
  void duration(std::string_view key, Nanos& into);
  void size(std::string_view key, std::uint64_t& into);
  void count(std::string_view key, std::uint64_t least, std::uint64_t most, std::uint64_t& into);
  void flag(std::string_view key, bool& into);
  void number(std::string_view key, double least, double most, double& into);
  // False when it left `into` as it was.
  bool date(std::string_view key, toml::date& into);
  // A list of whole numbers, or a text as "0-3,6".
  void cpus(std::string_view key, std::vector<unsigned>& into);
  void texts(std::string_view key, std::vector<std::string>& into);
  // A text or a number, as the text that a person would type.
  void value(std::string_view key, std::string& into);

  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  // An array of tables; empty when absent.
  std::vector<const toml::table*> tables(std::string_view key);
  // One table; null when absent.
  const toml::table* table(std::string_view key);
  // A problem when the key is absent.
  void require(std::string_view key, const std::string& why);
  void refuse_unknown();
  // At the key's value, or at the table when it is absent.
  void problem(std::string_view key, const std::string& what);

 private:
  const toml::node* find(std::string_view key);
  template <class Type>
  const toml::value<Type>* find_as(std::string_view key, const char* wanted);

  const toml::table& table_;
  std::string heading_;
  TomlProblems& problems_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace stallproof
