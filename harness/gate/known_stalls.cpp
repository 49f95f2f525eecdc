// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/known_stalls.h"

#include <fmt/format.h>

#include <ctime>
#include <set>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/toml_reader.h"

namespace stallproof {
namespace {

std::string date_words(const toml::date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

KnownStall read_entry(const toml::table& table, TomlProblems& problems) {
  TomlReader reader(table, "[[known]]", problems);
  KnownStall known;
  for (const char* key : {"signature", "reason", "until"}) reader.require(key, "");
  reader.text("signature", known.signature);
  reader.text("reason", known.reason);
  toml::date until{};
  if (reader.date("until", until)) known.until = date_words(until);
  if (known.signature.empty() || known.signature == "unknown")
    reader.problem("signature", "must be that of an explained stall (stallproof show tells it)");
  if (known.reason.empty()) reader.problem("reason", "is empty: say why it may stay");
  reader.refuse_unknown();
  return known;
}

}  // namespace

Result<std::vector<KnownStall>> parse_known_stalls(const std::string& text,
                                                   const std::string& source) {
  toml::table document;
  try {
    document = toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    return fail(fmt::format("{}:{}:{}: {}", source, error.source().begin.line,
                            error.source().begin.column, error.description()));
  }
  TomlProblems problems(source);
  TomlReader reader(document, "known stalls", problems);
  std::vector<KnownStall> known;
  std::set<std::string> seen;
  for (const toml::table* table : reader.tables("known")) {
    known.push_back(read_entry(*table, problems));
    if (!seen.insert(known.back().signature).second)
      TomlReader(*table, "[[known]]", problems).problem("signature", "is listed twice");
  }
  reader.refuse_unknown();
  if (!problems.none()) return fail(problems.first());
  return known;
}

Result<std::vector<KnownStall>> read_known_stalls(const std::string& path) {
  const auto text = read_file(path);
  if (!text)
    return fail(text.error().what +
                " (give a TOML file of [[known]] stalls: signature, reason, until)");
  return parse_known_stalls(*text, path);
}

std::string today() {
  const auto seconds = static_cast<time_t>(realtime_now() / kSecond);
  tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

}  // namespace stallproof
