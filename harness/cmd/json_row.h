// SPDX-License-Identifier: Apache-2.0
// JSON objects written as text behind one another, for documents of ten thousand of them: building
// and printing a tree takes ten times as long. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stallproof {

// Quoted and escaped; invalid UTF-8 is replaced.
void append_json_string(std::string_view text, std::string& into);

// One object, behind what `into` holds; complete after end(). Keys are ours: they are not escaped.
class JsonRow {
 public:
  explicit JsonRow(std::string& into) : into_(into), begin_(into.size() + 1) { into_ += '{'; }
  JsonRow& add(std::string_view key, std::string_view text);
  JsonRow& add(std::string_view key, std::int64_t number);
  JsonRow& add(std::string_view key, double number);
  JsonRow& add(std::string_view key, std::optional<std::int64_t> number);
  // `value`: JSON.
  JsonRow& put(std::string_view key, std::string_view value);
  void end() { into_ += '}'; }

 private:
  void begin_value(std::string_view key);
  std::string& into_;
  std::size_t begin_;  // where its first key stands
};

}  // namespace stallproof
