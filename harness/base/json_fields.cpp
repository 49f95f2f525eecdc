// SPDX-License-Identifier: Apache-2.0
#include "harness/base/json_fields.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "harness/base/one_line.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr double kMostMs = 1e13;  // 300 years: nanoseconds hold no more than 584

bool is_finite(const Json& value) {
  return value.is_number() && std::isfinite(value.get<double>());
}

bool is_amount(const Json& value) { return is_finite(value) && value.get<double>() >= 0; }

bool is_whole(const Json& value) {
  return value.is_number_integer() && value.get<double>() >= std::numeric_limits<int>::min() &&
         value.get<double>() <= std::numeric_limits<int>::max();
}

}  // namespace

JsonFields::JsonFields(const Json& object, std::string where, std::string& problem, Nulls nulls)
    : object_(object), where_(std::move(where)), problem_(problem), nulls_(nulls) {
  if (!object.is_object() && problem_.empty())
    problem_ = fmt::format("{}: not an object", on_one_line(where_));
}

std::string JsonFields::path(const std::string& key) const {
  return where_.empty() ? key : where_ + "." + key;
}

void JsonFields::refuse(const char* key, const std::string& why) const {
  if (problem_.empty()) problem_ = fmt::format("{}: {}", on_one_line(path(key)), why);
}

const Json* JsonFields::find(const char* key) const {
  if (!problem_.empty() || !object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  if (found == object_.end() || (nulls_ == Nulls::absent && found->is_null())) return nullptr;
  return &*found;
}

bool JsonFields::is_null(const char* key) const {
  const Json* found = find(key);
  return found != nullptr && found->is_null();
}

const Json* JsonFields::find_of(const char* key, Json::value_t kind) const {
  const Json* found = find(key);
  if (found == nullptr) return nullptr;
  if (found->type() == kind) return found;
  refuse(key, kind == Json::value_t::array ? "not a list" : "not an object");
  return nullptr;
}

void JsonFields::require(const char* key) const {
  if (find(key) == nullptr) refuse(key, "missing");
}

void JsonFields::text(const char* key, std::string& into) const {
  const Json* found = find(key);
  if (found == nullptr) return;
  if (!found->is_string()) return refuse(key, "not a text");
  into = found->get<std::string>();
}

void JsonFields::text_or_null(const char* key, std::string& into) const {
  if (!is_null(key)) text(key, into);
}

void JsonFields::flag(const char* key, bool& into) const {
  const Json* found = find(key);
  if (found == nullptr) return;
  if (!found->is_boolean()) return refuse(key, "neither true nor false");
  into = found->get<bool>();
}

void JsonFields::count(const char* key, std::uint64_t& into) const {
  const Json* found = find(key);
  if (found == nullptr) return;
  if (!found->is_number_unsigned()) return refuse(key, "not a whole number from 0");
  into = found->get<std::uint64_t>();
}

void JsonFields::whole(const char* key, int& into) const {
  const Json* found = find(key);
  if (found == nullptr) return;
  if (!is_whole(*found)) return refuse(key, "not a whole number");
  into = found->get<int>();
}

void JsonFields::amount(const char* key, double& into) const {
  const Json* found = find(key);
  if (found == nullptr) return;
  if (!is_amount(*found)) return refuse(key, "not a number from 0");
  into = found->get<double>();
}

void JsonFields::number(const char* key, double& into) const {
  const Json* found = find(key);
  if (found == nullptr) return;
  if (!is_finite(*found)) return refuse(key, "not a number");
  into = found->get<double>();
}

void JsonFields::milliseconds(const char* key, std::optional<Nanos>& into) const {
  const Json* found = find(key);
  if (found == nullptr) return;
  if (!found->is_number()) return refuse(key, "not a number");
  const double ms = found->get<double>();
  if (!(ms >= 0 && ms < kMostMs)) return refuse(key, "out of range");
  into = static_cast<Nanos>(ms * 1e6 + 0.5);
}

void JsonFields::address(const char* key, std::uint64_t& into) const {
  std::string given;
  text(key, given);
  if (given.empty()) return;
  const char* const end = given.data() + given.size();
  const bool prefixed = given.starts_with("0x");
  const auto read = std::from_chars(given.data() + (prefixed ? 2 : 0), end, into, 16);
  if (!prefixed || read.ec != std::errc{} || read.ptr != end) refuse(key, "not an address");
}

void JsonFields::maybe(const char* key, std::optional<std::uint64_t>& into) const {
  if (find(key) == nullptr || is_null(key)) return;
  count(key, into.emplace());
}

void JsonFields::maybe(const char* key, std::optional<int>& into) const {
  if (find(key) == nullptr || is_null(key)) return;
  whole(key, into.emplace());
}

void JsonFields::maybe(const char* key, std::optional<double>& into) const {
  if (find(key) == nullptr || is_null(key)) return;
  amount(key, into.emplace());
}

void JsonFields::maybe_number(const char* key, std::optional<double>& into) const {
  if (find(key) == nullptr || is_null(key)) return;
  number(key, into.emplace());
}

void JsonFields::texts(const char* key, std::vector<std::string>& into) const {
  const Json* list = find_of(key, Json::value_t::array);
  if (list == nullptr) return;
  for (const Json& item : *list) {
    if (!item.is_string()) return refuse(key, "not a list of texts");
    into.push_back(item.get<std::string>());
  }
}

void JsonFields::numbers(const char* key, std::vector<std::int32_t>& into) const {
  const Json* list = find_of(key, Json::value_t::array);
  if (list == nullptr) return;
  for (const Json& item : *list) {
    if (!is_whole(item)) return refuse(key, "not a list of whole numbers");
    into.push_back(item.get<std::int32_t>());
  }
}

void JsonFields::texts(const char* key, std::map<std::string, std::string>& into) const {
  const Json* names = find_of(key, Json::value_t::object);
  if (names == nullptr) return;
  for (auto item = names->begin(); item != names->end(); ++item) {
    if (!item.value().is_string()) return refuse(key, "not an object of texts");
    into[item.key()] = item.value().get<std::string>();
  }
}

Result<Json> parse_json_object(std::string_view text, const std::string& name) {
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded())
    return fail(fmt::format("{}: cut, damaged or no JSON", name), Origin::infra);
  if (!document.is_object())
    return fail(fmt::format("{}: not a JSON object, so not written by stallproof", name),
                Origin::infra);
  return document;
}

}  // namespace stallproof
