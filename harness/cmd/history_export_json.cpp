// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/history_words.h"
#include "harness/cmd/json_row.h"

namespace stallproof {

std::string table_document(const HistoryTable& table) {
  // With what stands between two cells, quotes and null.
  constexpr std::size_t kAround = 8;
  std::vector<std::string> keys;
  std::size_t row_letters = kAround;
  for (const std::string& column : table.columns) {
    append_json_string(column, keys.emplace_back());
    keys.back() += ": ";
    row_letters += keys.back().size() + kAround;
  }
  std::string text;
  text.reserve(table.letters() + (table.rows() + 1) * row_letters);
  text += "{\n  \"schema\": 1,\n  \"runs\": [";
  for (std::size_t row = 0; row < table.rows(); ++row) {
    text += row == 0 ? "\n    {" : ",\n    {";
    for (std::size_t column = 0; column < keys.size(); ++column) {
      if (column != 0) text += ", ";
      text += keys[column];
      const std::string_view cell = table.cell(row, column);
      if (column < table.texts)
        append_json_string(cell, text);
      else
        text += cell.empty() ? "null" : cell;
    }
    text += '}';
  }
  text += "]\n}\n";
  return text;
}

}  // namespace stallproof
