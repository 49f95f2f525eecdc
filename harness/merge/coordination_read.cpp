// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/coordination_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/base/json_fields.h"

namespace stallproof {

Result<std::optional<CoordinationFacts>> read_coordination(std::string_view environment,
                                                           const std::string& name) {
  const auto document = parse_json_object(environment, name);
  if (!document) return Failure(document.error());
  std::string problem;
  JsonFields in(*document, "", problem);
  std::optional<CoordinationFacts> facts;
  in.object("coordination", [&facts](JsonFields& below) {
    facts.emplace();
    std::string start, started;
    for (const char* key : {"rank", "count"}) below.require(key);
    below.text("job", facts->job);
    below.whole("rank", facts->rank);
    below.whole("count", facts->count);
    below.text("share", facts->share);
    below.text("plan_id", facts->plan_id);
    below.text_or_null("start", start);
    below.text_or_null("load_started", started);
    below.maybe_number("start_late_ms", facts->start_late_ms);
    below.object("clock", [&facts](JsonFields& clock) {
      clock.text_or_null("against", facts->against);
      clock.maybe_number("offset_ms", facts->offset_ms);
      clock.maybe("error_ms", facts->error_ms);
    });
    facts->agreed = !start.empty();
    facts->started = !started.empty();
  });
  if (!problem.empty()) return fail(fmt::format("{}: {}", name, problem), Origin::infra);
  return facts;
}

double apart_at_least_ms(const CoordinationFacts& facts) {
  if (!facts.offset_ms) return 0;
  return std::max(0.0, std::abs(*facts.offset_ms) - facts.error_ms.value_or(0));
}

}  // namespace stallproof
