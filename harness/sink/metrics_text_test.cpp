// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace stallproof {
namespace {

TEST(MetricsText, CounterWithLabels) {
  EXPECT_EQ(metrics_text({{.name = "a_total",
                           .help = "Some.",
                           .type = MetricType::counter,
                           .samples = {{.labels = {{"x", "1"}, {"y", "2"}}, .value = 3},
                                       {.labels = {{"x", "4"}}, .value = 0.5}}}}),
            "# HELP a_total Some.\n# TYPE a_total counter\n"
            "a_total{x=\"1\",y=\"2\"} 3\na_total{x=\"4\"} 0.5\n");
}

TEST(MetricsText, HistogramIsCumulativeAndEndsWithInfinity) {
  EXPECT_EQ(metrics_text({{.name = "h",
                           .help = "H.",
                           .type = MetricType::histogram,
                           .edges = {0.1, 2.5},
                           .samples = {{.labels = {{"w", "a"}}, .counts = {1, 0, 4}, .sum = 9}}}}),
            "# HELP h H.\n# TYPE h histogram\n"
            "h_bucket{w=\"a\",le=\"0.1\"} 1\nh_bucket{w=\"a\",le=\"2.5\"} 1\n"
            "h_bucket{w=\"a\",le=\"+Inf\"} 5\nh_sum{w=\"a\"} 9\nh_count{w=\"a\"} 5\n");
}

TEST(MetricsText, HostileLabelValuesCannotLeaveTheirQuotes) {
  const std::string text = metrics_text(
      {{.name = "a", .help = "A.", .samples = {{.labels = {{"x", "\"} 1\na \\<script>"}}}}}});
  EXPECT_NE(text.find("a{x=\"\\\"} 1\\na \\\\<script>\"} 0\n"), std::string::npos) << text;
}

TEST(MetricsText, HelpStaysOnItsLine) {
  EXPECT_EQ(metrics_text({{.name = "a", .help = "say \"b\"\n\\", .samples = {{.value = 1}}}}),
            "# HELP a say \"b\"\\n\\\\\n# TYPE a gauge\na 1\n");
}

TEST(MetricsText, LargeNumbersKeepAllTheirDigits) {
  const std::string text =
      metrics_text({{.name = "a", .help = "A.", .samples = {{.value = 1795689123.456789}}}});
  EXPECT_NE(text.find("a 1795689123.456789\n"), std::string::npos) << text;
  const std::string odd =
      metrics_text({{.name = "a",
                     .help = "A.",
                     .samples = {{.value = std::numeric_limits<double>::infinity()}}}});
  EXPECT_NE(odd.find("a +Inf\n"), std::string::npos) << odd;
}

TEST(MetricsText, FamilyWithoutSeriesIsLeftOut) {
  EXPECT_EQ(metrics_text({{.name = "a", .help = "A."}}), "");
}

}  // namespace
}  // namespace stallproof
