// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_filter.h"

namespace stallproof {

FilterWords::FilterWords(const HistoryFilter& filter) {
  if (filter.build) add("run.build = ?", *filter.build);
  if (filter.since_ms) add("run.started_ms >= ?", *filter.since_ms);
  if (!filter.run.empty()) add("run.run = ?", filter.run);
  for (const auto& [key, value] : filter.labels) {
    add("EXISTS (SELECT 1 FROM label WHERE label.run_id = run.id AND label.key = ?", key);
    where_ += " AND label.value = ?)";
    values_.emplace_back(value);
  }
  if (!filter.signature.empty())
    add("run.id IN (SELECT run_id FROM stall WHERE signature = ?)", filter.signature);
  if (filter.observed_only) add("run.purpose = 0 AND run.state IN ('pass', 'fail')");
}

void FilterWords::add(const char* condition) {
  where_ += (where_.empty() ? "WHERE " : " AND ") + std::string(condition);
}

void FilterWords::add(const char* condition, std::variant<std::int64_t, std::string> value) {
  add(condition);
  values_.push_back(std::move(value));
}

void FilterWords::bind_to(Statement& statement) const {
  for (const auto& value : values_) {
    if (const auto* text = std::get_if<std::string>(&value))
      statement.bind(std::string_view(*text));
    else
      statement.bind(std::get<std::int64_t>(value));
  }
}

}  // namespace stallproof
