// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

namespace stallproof {
namespace {

constexpr std::array kWords{"time", "run", "node", "build", "kernel", "scenario", "verdict"};
constexpr std::array kFigures{"hours", "stalls", "failing_stalls", "dropouts", "dropout_s"};
constexpr std::array kOfLoad{"ops_per_s", "bytes_per_s", "p50_us", "p99_us", "max_us"};

struct LoadRow {
  std::int64_t run_id = 0;
  std::size_t name = 0;  // by the order in which names were met
  std::array<std::optional<double>, kOfLoad.size()> figures;
};

struct Loads {
  std::vector<LoadRow> rows;                             // by run
  std::map<std::string, std::size_t, std::less<>> name;  // its number

  std::size_t number_of(std::string_view word) {
    const auto found = name.find(word);
    if (found != name.end()) return found->second;
    const std::size_t number = name.size();
    name.emplace(word, number);
    return number;
  }
};

std::string stamp(const Instant& at) {
  std::string text = time_words(at);
  text[10] = 'T';
  text.erase(19, 1);
  return text;
}

Loads take_loads(Database& database, const FilterWords& words) {
  const std::string wanted =
      words.where().empty()
          ? ""
          : "WHERE load.run_id IN (SELECT run.id FROM run " + words.where() + ") ";
  Statement rows = database.prepare(
      "SELECT load.run_id, load.name, load.ops_per_s, load.bytes_per_s, load.p50_us, load.p99_us, "
      "load.max_us FROM load " +
      wanted + "ORDER BY load.run_id, load.name");
  words.bind_to(rows);
  Loads loads;
  while (rows.step()) {
    LoadRow& row = loads.rows.emplace_back();
    row.run_id = rows.whole(0);
    row.name = loads.number_of(rows.view(1));
    for (std::size_t i = 0; i < kOfLoad.size(); ++i)
      row.figures[i] = rows.maybe_real(static_cast<int>(i) + 2);
  }
  return loads;
}

void name_columns(const Loads& loads, HistoryTable& table) {
  table.columns.assign(kWords.begin(), kWords.end());
  table.texts = table.columns.size();
  table.columns.insert(table.columns.end(), kFigures.begin(), kFigures.end());
  for (const auto& [name, number] : loads.name)
    for (const char* figure : kOfLoad) table.columns.push_back(name + "." + figure);
}

void add_loads(const Loads& loads, std::int64_t run_id, HistoryTable& table) {
  std::vector<const LoadRow*> of_run(loads.name.size());
  auto row = std::lower_bound(
      loads.rows.begin(), loads.rows.end(), run_id,
      [](const LoadRow& each, std::int64_t wanted) { return each.run_id < wanted; });
  for (; row != loads.rows.end() && row->run_id == run_id; ++row) of_run[row->name] = &*row;
  for (const auto& [name, number] : loads.name)
    for (std::size_t i = 0; i < kOfLoad.size(); ++i)
      if (of_run[number] != nullptr && of_run[number]->figures[i])
        table.add(*of_run[number]->figures[i]);
      else
        table.add(std::string_view());
}

void take_runs(Database& database, const FilterWords& words, const Loads& loads,
               HistoryTable& table) {
  Statement rows = database.prepare(
      "SELECT run.id, run.started_ms, run.offset_min, run.run, run.node, run.build, run.kernel, "
      "run.scenario, run.state, run.duration_s, run.stalls, run.failing, run.dropouts, "
      "run.dropout_s FROM run " +
      words.where() + " ORDER BY run.started_ms, run.id");
  words.bind_to(rows);
  while (rows.step()) {
    table.add(stamp({.unix_ms = rows.whole(1), .offset_min = static_cast<int>(rows.whole(2))}));
    for (int column = 3; column <= 8; ++column) table.add(rows.view(column));
    table.add(rows.real(9) / 3600);
    for (int column = 10; column <= 12; ++column) table.add(rows.whole(column));
    table.add(rows.real(13));
    add_loads(loads, rows.whole(0), table);
  }
}

void append_quoted(std::string_view cell, std::string& text) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
    text += cell;
    return;
  }
  text += '"';
  for (const char letter : cell) {
    if (letter == '"') text += '"';
    text += letter;
  }
  text += '"';
}

}  // namespace

void HistoryTable::add(std::string_view cell) {
  text_ += cell;
  end_cell();
}

void HistoryTable::add(std::int64_t count) {
  const fmt::format_int digits(count);
  text_.append(digits.data(), digits.size());
  end_cell();
}

void HistoryTable::add(double figure) {
  // JSON has no word for others.
  if (std::isfinite(figure)) {
    std::array<char, 32> digits;  // 13 at most
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), figure,
                                   std::chars_format::general, 6)
                         .ptr;
    text_.append(digits.data(), end);
  }
  end_cell();
}

std::string_view HistoryTable::cell(std::size_t row, std::size_t column) const {
  const std::size_t at = row * columns.size() + column;
  const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
  return std::string_view(text_).substr(begin, ends_[at] - begin);
}

Result<HistoryTable> history_table(History& history, const HistoryFilter& filter) {
  HistoryTable table;
  const FilterWords words(filter);
  Database& database = history.database();
  // Both reads see the same runs.
  database.execute("BEGIN");
  const Loads loads = take_loads(database, words);
  name_columns(loads, table);
  take_runs(database, words, loads, table);
  database.execute("COMMIT");
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  return table;
}

std::string as_csv(const HistoryTable& table) {
  std::string text;
  text.reserve(table.letters() + (table.rows() + 1) * table.columns.size() * 2);
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    if (column != 0) text += ',';
    append_quoted(table.columns[column], text);
  }
  text += '\n';
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      if (column != 0) text += ',';
      append_quoted(table.cell(row, column), text);
    }
    text += '\n';
  }
  return text;
}

}  // namespace stallproof
