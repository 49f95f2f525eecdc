// SPDX-License-Identifier: Apache-2.0
// Answers of the history for people and programs: pure, from what the store gave.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/store/history_export.h"
#include "harness/store/history_figures.h"
#include "harness/store/history_runs.h"
#include "harness/store/history_signatures.h"

namespace stallproof {

// "2026-11-01", RFC 3339, or how long ago (36h, 7d); in milliseconds since 1970. Reads the clock
// and the zone of this machine.
Result<std::int64_t> parse_since(const std::string& text);

// `signatures`: of the one that was asked for; else empty.
std::string list_text(const HistoryRuns& found, const std::vector<SignatureHistory>& signatures);
// The whole document, run by run.
class ListDocument {
 public:
  explicit ListDocument(std::int64_t all);
  void add(const HistoryRun& run);
  std::string finish(const std::vector<SignatureHistory>& signatures) &&;

 private:
  std::string text_;
  bool any_ = false;
};

// `known`: of each signature that the run had.
std::string show_text(const HistoryRunDetails& run, const std::vector<SignatureHistory>& known);
nlohmann::ordered_json show_json(const HistoryRunDetails& run,
                                 const std::vector<SignatureHistory>& known);

struct Compared {
  std::string name;  // "build 1.2", "run 2026…"
  BuildFigures figures;
};
std::string compare_text(const Compared& a, const Compared& b);
nlohmann::ordered_json compare_json(const Compared& a, const Compared& b);

// A name of the catalogue of metrics, or an Error that names them.
Result<> check_metric(const std::string& metric);
std::string metric_names();
// `load`: empty for all; only for metrics of loads.
std::string trend_text(const std::vector<BuildFigures>& builds, const std::string& metric,
                       const std::string& load);
nlohmann::ordered_json trend_json(const std::vector<BuildFigures>& builds,
                                  const std::string& metric, const std::string& load);

// Figures are JSON numbers as they are.
std::string table_document(const HistoryTable& table);

// Shared by the answers.
std::string build_name(const std::string& build);  // "(no build)" for none
std::string rate_words(std::int64_t events, double hours);
nlohmann::ordered_json rate_json(std::int64_t events, double hours);
std::string document(const nlohmann::ordered_json& json);

}  // namespace stallproof
