// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTextMost = 2000, kListMost = 20;
constexpr std::array<const char*, 7> kKinds{"begin", "stall",   "explained", "resolved",
                                            "blind", "verdict", "flush"};

std::string cut(std::string_view text) {
  std::string kept(text.substr(0, kTextMost));
  return text.size() > kTextMost ? kept + "…" : kept;
}

Json cut_list(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (std::size_t i = 0; i < std::min(texts.size(), kListMost); ++i) list.push_back(cut(texts[i]));
  return list;
}

std::string line_of(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json frame_json(const NoticeFrame& frame, std::string_view event, Nanos realtime_ns) {
  Json labels = Json::object();
  for (const auto& [key, value] : frame.run.labels)
    if (labels.size() < kListMost) labels[cut(key)] = cut(value);
  return {{"schema", 1},
          {"event", event},
          {"time", format_rfc3339(realtime_ns)},
          {"run", cut(frame.run.run)},
          {"node", cut(frame.run.node)},
          {"kernel", cut(frame.run.kernel)},
          {"command", cut(frame.run.command)},
          {"target", cut(frame.run.target)},
          {"labels", labels}};
}

std::string time_of(const NoticeFrame& frame, double ms) {
  return format_rfc3339(frame.started_realtime_ns + static_cast<Nanos>(std::max(0.0, ms) * 1e6));
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json stall_entry_json(const StallEntry& stall) {
  return {{"id", stall.id},
          {"class", cut(stall.stall_class)},
          {"signature", cut(stall.signature)},
          {"onset", stall.onset},
          {"resolved_ms", or_null(stall.resolved_ms)},
          {"failing", stall.failing}};
}

// What a title is made from: the failing stall, where there is one.
const StallEntry* worst_of(const Verdict& verdict) {
  for (const StallEntry& stall : verdict.stalls)
    if (stall.failing) return &stall;
  return verdict.stalls.empty() ? nullptr : &verdict.stalls.front();
}

std::string text_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t count_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

std::string stall_notice(const NoticeFrame& frame, std::string_view event, const StallNews& stall,
                         Nanos realtime_ns) {
  Json document = frame_json(frame, event, realtime_ns);
  const std::string folder = frame.run.dir + "/" + stall.path;
  document.update(Json{{"incident", stall.id},
                       {"class", cut(stall.stall_class)},
                       {"signature", cut(stall.signature)},
                       {"summary", cut(stall.summary)},
                       {"loads", cut_list(stall.loads)},
                       {"sources", cut_list(stall.sources)},
                       {"in_circle", stall.in_circle},
                       {"onset", time_of(frame, stall.onset_ms)},
                       {"onset_ms", stall.onset_ms},
                       {"detected_ms", stall.detected_ms},
                       {"resolved_ms", or_null(stall.resolved_ms)},
                       {"paths",
                        {{"run", cut(frame.run.dir)},
                         {"incident", cut(folder)},
                         {"explanation", cut(folder + "/explanation.txt")}}}});
  return line_of(document);
}

std::string blind_notice(const NoticeFrame& frame, std::string_view why, Nanos realtime_ns) {
  Json document = frame_json(frame, "blind", realtime_ns);
  document["summary"] = cut(why);
  document["paths"] = {{"run", cut(frame.run.dir)}};
  return line_of(document);
}

std::string verdict_notice(const NoticeFrame& frame, const Verdict& verdict, Nanos realtime_ns) {
  Json document = frame_json(frame, "verdict", realtime_ns);
  const StallEntry* const worst = worst_of(verdict);
  Json stalls = Json::array();
  for (std::size_t i = 0; i < std::min(verdict.stalls.size(), kListMost); ++i)
    stalls.push_back(stall_entry_json(verdict.stalls[i]));
  document.update(Json{
      {"verdict", outcome_name(verdict.outcome)},
      {"exit_code", verdict.exit_code},
      {"class", worst == nullptr ? Json(nullptr) : Json(cut(worst->stall_class))},
      {"signature", worst == nullptr ? Json(nullptr) : Json(cut(worst->signature))},
      {"onset", worst == nullptr ? Json(nullptr) : Json(worst->onset)},
      {"summary", verdict.reasons.empty() ? "" : cut(verdict.reasons.front())},
      {"reasons", cut_list(verdict.reasons)},
      {"stalls", stalls},
      {"stalls_total", verdict.stalls.size()},
      {"dropouts_total", verdict.dropouts.size()},
      {"duration_s", verdict.duration_s},
      {"paths", {{"run", cut(frame.run.dir)}, {"verdict", cut(frame.run.dir + "/verdict.json")}}}});
  return line_of(document);
}

std::string notice_packet(const NoticeMessage& message) {
  return line_of({{"kind", kKinds[static_cast<std::size_t>(message.kind)]},
                  {"id", message.id},
                  {"key", cut(message.key)},
                  {"conclusive", message.conclusive},
                  {"text", message.text}});
}

std::optional<NoticeMessage> read_notice_packet(std::string_view packet) {
  const Json document = Json::parse(packet, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  const std::string kind = text_of(document, "kind");
  const auto found = std::find(kKinds.begin(), kKinds.end(), kind);
  if (found == kKinds.end()) return std::nullopt;
  const auto conclusive = document.find("conclusive");
  return NoticeMessage{.kind = static_cast<NoticeKind>(found - kKinds.begin()),
                       .id = text_of(document, "id"),
                       .key = text_of(document, "key"),
                       .conclusive = conclusive != document.end() && *conclusive == true,
                       .text = text_of(document, "text")};
}

std::string counts_packet(const NoticeCounts& counts) {
  return line_of({{"asked", counts.asked},
                  {"delivered", counts.delivered},
                  {"failed", counts.failed},
                  {"limited", counts.limited},
                  {"dropped", counts.dropped},
                  {"last_failure", cut(counts.last_failure)}});
}

std::optional<NoticeCounts> read_counts_packet(std::string_view packet) {
  const Json document = Json::parse(packet, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  return NoticeCounts{.asked = text_of(document, "asked"),
                      .delivered = count_of(document, "delivered"),
                      .failed = count_of(document, "failed"),
                      .limited = count_of(document, "limited"),
                      .dropped = count_of(document, "dropped"),
                      .last_failure = text_of(document, "last_failure")};
}

std::string counts_text(const NoticeCounts& counts) {
  if (counts.failed == 0 && counts.dropped == 0) return "";
  const std::uint64_t all = counts.delivered + counts.failed + counts.dropped;
  std::string text =
      fmt::format("notices: {} of {} not delivered", counts.failed + counts.dropped, all);
  if (counts.dropped > 0) text += fmt::format(", {} of them for want of time", counts.dropped);
  if (!counts.last_failure.empty()) text += " (last: " + counts.last_failure + ")";
  return text;
}

}  // namespace stallproof
