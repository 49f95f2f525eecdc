// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/json_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

bool stands_for_itself(char letter) {
  return letter >= ' ' && letter < 0x7f && letter != '"' && letter != '\\';
}

}  // namespace

void append_json_string(std::string_view text, std::string& into) {
  if (std::all_of(text.begin(), text.end(), stands_for_itself)) {
    into += '"';
    into += text;
    into += '"';
    return;
  }
  using Json = nlohmann::json;
  into += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void JsonRow::begin_value(std::string_view key) {
  if (into_.size() > begin_) into_ += ", ";
  into_ += '"';
  into_ += key;
  into_ += "\": ";
}

JsonRow& JsonRow::add(std::string_view key, std::string_view text) {
  begin_value(key);
  append_json_string(text, into_);
  return *this;
}

JsonRow& JsonRow::add(std::string_view key, std::int64_t number) {
  begin_value(key);
  const fmt::format_int digits(number);
  into_.append(digits.data(), digits.size());
  return *this;
}

JsonRow& JsonRow::add(std::string_view key, double number) {
  if (!std::isfinite(number)) return put(key, "null");
  begin_value(key);
  fmt::format_to(std::back_inserter(into_), "{}", number);
  return *this;
}

JsonRow& JsonRow::add(std::string_view key, std::optional<std::int64_t> number) {
  return number ? add(key, *number) : put(key, "null");
}

JsonRow& JsonRow::put(std::string_view key, std::string_view value) {
  begin_value(key);
  into_ += value;
  return *this;
}

}  // namespace stallproof
