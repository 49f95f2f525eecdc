// SPDX-License-Identifier: Apache-2.0
// Which runs a question to the history is about, as words of SQL. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/store/sqlite_database.h"

namespace stallproof {

struct HistoryFilter {
  std::optional<std::string> build;  // "": runs without this label
  std::map<std::string, std::string> labels;
  std::string signature;                 // of a stall that the run had
  std::optional<std::int64_t> since_ms;  // started then or later
  std::string run;                       // this one alone
  // Runs that passed or failed and made no stall on purpose: what rates can be told of.
  bool observed_only = false;
};

class FilterWords {
 public:
  explicit FilterWords(const HistoryFilter& filter);
  // "WHERE run.build = ? AND …", or nothing.
  [[nodiscard]] const std::string& where() const { return where_; }
  void bind_to(Statement& statement) const;

 private:
  void add(const char* condition);
  void add(const char* condition, std::variant<std::int64_t, std::string> value);
  std::string where_;
  std::vector<std::variant<std::int64_t, std::string>> values_;
};

}  // namespace stallproof
