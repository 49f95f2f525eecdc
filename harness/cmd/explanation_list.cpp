// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/explanation_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

Result<std::string> as_json(const std::vector<std::string>& documents) {
  Json explanations = Json::array();
  for (const std::string& document : documents) {
    Json each = Json::parse(document, nullptr, false);
    if (each.is_discarded())
      return fail("explain: an explanation is not JSON, or cut", Origin::infra);
    explanations.push_back(std::move(each));
  }
  const Json all{{"schema", 1}, {"explanations", std::move(explanations)}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<std::string> as_one_document(const std::vector<std::string>& documents,
                                    const std::string& format) {
  if (documents.size() == 1) return documents.front();
  if (format == "json") return as_json(documents);
  if (format == "svg")
    return fail(fmt::format(
        "explain: {} explanations do not fit into one svg (name one incident or one file)",
        documents.size()));
  return fmt::format("{}", fmt::join(documents, "\n"));
}

}  // namespace stallproof
