// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_text.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace stallproof {
namespace {

const char* type_name(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return "counter";
    case MetricType::gauge:
      return "gauge";
    case MetricType::histogram:
      return "histogram";
  }
  return "untyped";
}

// Of a help text `quote` is false: there a quotation mark stands for itself.
void append_escaped(std::string& text, std::string_view value, bool quote) {
  for (const char letter : value) {
    if (letter == '\\')
      text += "\\\\";
    else if (letter == '\n')
      text += "\\n";
    else if (letter == '"' && quote)
      text += "\\\"";
    else
      text += letter;
  }
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void append_series(std::string& text, std::string_view name, const MetricLabels& labels,
                   std::string_view edge, const std::string& value) {
  text += name;
  char before = '{';
  const auto label = [&](std::string_view key, std::string_view content) {
    text += before;
    text += key;
    text += "=\"";
    append_escaped(text, content, true);
    text += '"';
    before = ',';
  };
  for (const auto& [key, content] : labels) label(key, content);
  if (!edge.empty()) label("le", edge);
  if (before == ',') text += '}';
  text += ' ';
  text += value;
  text += '\n';
}

void append_histogram(std::string& text, const MetricFamily& family, const MetricSample& sample) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < family.edges.size(); ++i) {
    below += sample.counts[i];
    append_series(text, family.name + "_bucket", sample.labels, number(family.edges[i]),
                  fmt::format("{}", below));
  }
  below += sample.counts.back();
  const std::string all = fmt::format("{}", below);
  append_series(text, family.name + "_bucket", sample.labels, "+Inf", all);
  append_series(text, family.name + "_sum", sample.labels, "", number(sample.sum));
  append_series(text, family.name + "_count", sample.labels, "", all);
}

}  // namespace

std::string metrics_text(const MetricFamilies& families) {
  std::string text;
  for (const MetricFamily& family : families) {
    if (family.samples.empty()) continue;
    text += "# HELP " + family.name + " ";
    append_escaped(text, family.help, false);
    text += fmt::format("\n# TYPE {} {}\n", family.name, type_name(family.type));
    for (const MetricSample& sample : family.samples) {
      if (family.type == MetricType::histogram)
        append_histogram(text, family, sample);
      else
        append_series(text, family.name, sample.labels, "", number(sample.value));
    }
  }
  return text;
}

}  // namespace stallproof
