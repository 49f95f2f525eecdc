// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/meeting_cards.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "harness/base/one_line.h"
#include "harness/base/units.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr std::size_t kLongestWord = 512;

Json heard_json(const Heard& heard) { return {{"run", heard.run}, {"stamp_ns", heard.stamp}}; }

// Throws what nlohmann throws when it is not as it should be.
std::string word(const Json& from, const char* key) {
  auto text = from.at(key).get<std::string>();
  if (text.size() > kLongestWord) throw std::length_error(key);
  return on_one_line(std::move(text));
}

std::uint64_t number(const Json& from, const char* key) {
  const Json& found = from.at(key);
  if (!found.is_number_unsigned() || !std::in_range<std::int64_t>(found.get<std::uint64_t>()))
    throw std::out_of_range(key);
  return found.get<std::uint64_t>();
}

unsigned small_number(const Json& from, const char* key) {
  const std::uint64_t found = number(from, key);
  if (!std::in_range<unsigned>(found)) throw std::out_of_range(key);
  return static_cast<unsigned>(found);
}

Heard heard_of(const Json& from) {
  return {.run = word(from, "run"), .stamp = number(from, "stamp_ns")};
}

template <class Card, class Read>
std::optional<Card> card_of(std::string_view text, const Read& read) {
  try {
    const Json document = Json::parse(text);
    if (document.at("schema").get<int>() != kSchema) return std::nullopt;
    return read(document);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string card_json(const NodeCard& card) {
  return Json{{"schema", kSchema},
              {"rank", card.rank},
              {"count", card.count},
              {"node", card.node},
              {"run", card.run},
              {"plan_id", card.plan_id},
              {"tool_version", card.tool_version},
              {"stamp_ns", card.stamp},
              {"heard", card.heard ? heard_json(*card.heard) : Json(nullptr)}}
             .dump(-1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string card_json(const StartCard& card) {
  Json heard = Json::object();
  for (const auto& [rank, each] : card.heard) heard[fmt::format("{}", rank)] = heard_json(each);
  return Json{{"schema", kSchema},        {"node", card.node},       {"run", card.run},
              {"stamp_ns", card.stamp},   {"start_s", card.start_s}, {"refused", card.refused},
              {"heard", std::move(heard)}}
             .dump(-1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::optional<NodeCard> node_card(std::string_view text) {
  return card_of<NodeCard>(text, [](const Json& from) {
    NodeCard card{.rank = small_number(from, "rank"),
                  .count = small_number(from, "count"),
                  .node = word(from, "node"),
                  .run = word(from, "run"),
                  .plan_id = word(from, "plan_id"),
                  .tool_version = word(from, "tool_version"),
                  .stamp = number(from, "stamp_ns"),
                  .heard = {}};
    if (!from.at("heard").is_null()) card.heard = heard_of(from.at("heard"));
    return card;
  });
}

std::optional<StartCard> start_card(std::string_view text) {
  return card_of<StartCard>(text, [](const Json& from) {
    StartCard card{.node = word(from, "node"),
                   .run = word(from, "run"),
                   .stamp = number(from, "stamp_ns"),
                   .start_s = number(from, "start_s"),
                   .refused = word(from, "refused"),
                   .heard = {}};
    for (const auto& [rank, each] : from.at("heard").items()) {
      const auto number = parse_count(rank);
      if (number) card.heard[static_cast<unsigned>(*number)] = heard_of(each);
    }
    return card;
  });
}

}  // namespace stallproof
