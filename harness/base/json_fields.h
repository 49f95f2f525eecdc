// SPDX-License-Identifier: Apache-2.0
// Fields of a JSON object that a file holds, read with suspicion: an absent key keeps the default
// (the file may be older than the key), one of another kind is remembered as the first problem, by
// its path ("stalls[0].failing"), and all later reads do nothing. Nothing throws.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

class JsonFields {
 public:
  using Json = nlohmann::json;
  // What a null is, where `maybe` or `text_or_null` do not say it: of a wrong kind, or absent.
  enum class Nulls { refused, absent };
  // `problem` is shared by all readers of one document and outlives them, as does `object`.
  JsonFields(const Json& object, std::string where, std::string& problem,
             Nulls nulls = Nulls::refused);

  void text(const char* key, std::string& into) const;
  void text_or_null(const char* key, std::string& into) const;  // null: empty
  void flag(const char* key, bool& into) const;
  void count(const char* key, std::uint64_t& into) const;
  void whole(const char* key, int& into) const;
  // Whole numbers of any width, refused where they do not fit.
  template <std::integral Number>
  void number(const char* key, Number& into) const;
  // Times, sizes and ratios: finite and not negative.
  void amount(const char* key, double& into) const;
  // The same, but before the beginning of the run as well: -3.5.
  void number(const char* key, double& into) const;
  void milliseconds(const char* key, std::optional<Nanos>& into) const;
  // "0xffff8881…": addresses do not survive as numbers in every reader.
  void address(const char* key, std::uint64_t& into) const;
  // The value that `name` has this word for.
  template <class Value, std::size_t N>
  void word(const char* key, Value& into, const std::array<Value, N>& values,
            std::string_view (*name)(Value)) const;
  void texts(const char* key, std::vector<std::string>& into) const;
  void texts(const char* key, std::map<std::string, std::string>& into) const;
  void numbers(const char* key, std::vector<std::int32_t>& into) const;
  // null: absent.
  void maybe(const char* key, std::optional<std::uint64_t>& into) const;
  void maybe(const char* key, std::optional<int>& into) const;
  void maybe(const char* key, std::optional<double>& into) const;
  // null: absent. Of either sign.
  void maybe_number(const char* key, std::optional<double>& into) const;
  // For a key that every version has written.
  void require(const char* key) const;

  // An object below this one; nothing is called when it is absent or null.
  template <std::invocable<JsonFields&> Read>
  void object(const char* key, Read read) const {
    const Json* found = is_null(key) ? nullptr : find_of(key, Json::value_t::object);
    if (found != nullptr) {
      JsonFields below(*found, path(key), problem_, nulls_);
      read(below);
    }
  }
  // Each object of a list, in order. A list that is null is none that we have written.
  template <std::invocable<JsonFields&> Read>
  void each(const char* key, Read read) const {
    const Json* list = find_of(key, Json::value_t::array);
    if (list == nullptr) return;
    for (std::size_t i = 0; i < list->size() && problem_.empty(); ++i) {
      JsonFields below((*list)[i], path(key) + "[" + std::to_string(i) + "]", problem_, nulls_);
      read(below);
    }
  }
  // Each object of an object, with its name.
  template <std::invocable<const std::string&, JsonFields&> Read>
  void each_named(const char* key, Read read) const {
    const Json* names = find_of(key, Json::value_t::object);
    if (names == nullptr) return;
    for (auto item = names->begin(); item != names->end() && problem_.empty(); ++item) {
      JsonFields below(item.value(), path(key) + "." + item.key(), problem_, nulls_);
      read(item.key(), below);
    }
  }

  void refuse(const char* key, const std::string& why) const;
  [[nodiscard]] bool is_null(const char* key) const;
  // There, and not null.
  [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr && !is_null(key); }

 private:
  [[nodiscard]] const Json* find(const char* key) const;
  const Json* find_of(const char* key, Json::value_t kind) const;
  [[nodiscard]] std::string path(const std::string& key) const;
  const Json& object_;
  std::string where_;
  std::string& problem_;
  Nulls nulls_;
};

template <std::integral Number>
void JsonFields::number(const char* key, Number& into) const {
  const Json* const found = find(key);
  if (found == nullptr) return;
  if (!found->is_number_integer()) return refuse(key, "not a number");
  const bool fits = found->is_number_unsigned() ? std::in_range<Number>(found->get<std::uint64_t>())
                                                : std::in_range<Number>(found->get<std::int64_t>());
  if (!fits) return refuse(key, "out of range");
  into = found->get<Number>();
}

template <class Value, std::size_t N>
void JsonFields::word(const char* key, Value& into, const std::array<Value, N>& values,
                      std::string_view (*name)(Value)) const {
  if (find(key) == nullptr) return;
  std::string given;
  text(key, given);
  for (const Value value : values) {
    if (name(value) != given) continue;
    into = value;
    return;
  }
  refuse(key, "an unknown word");
}

// A document that is one JSON object. `name` stands at the beginning of the error.
Result<nlohmann::json> parse_json_object(std::string_view text, const std::string& name);

}  // namespace stallproof
