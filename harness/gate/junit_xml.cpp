// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/junit_xml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/markup.h"
#include "harness/base/one_line.h"

namespace stallproof {
namespace {

// An attribute's line ends would be read as blanks: they are on one line here already.
std::string quoted(const std::string& text) {
  return "\"" + escaped_markup(on_one_line(text)) + "\"";
}

struct Totals {
  std::size_t tests = 0, failures = 0, errors = 0;
  double seconds = 0;
  [[nodiscard]] std::string words() const {
    return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3f}\"",
                       tests, failures, errors, seconds);
  }
};

Totals totals_of(const JunitSuite& suite) {
  Totals totals{.seconds = suite.seconds};
  for (const JunitCase& each : suite.cases) {
    ++totals.tests;
    // A case is counted once; that it failed is worth more.
    if (!each.failures.empty())
      ++totals.failures;
    else if (!each.errors.empty())
      ++totals.errors;
  }
  return totals;
}

std::string problem_xml(const char* element, const std::string& type,
                        const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  return fmt::format("      <{0} message={1} type={2}>{3}</{0}>\n", element, quoted(lines.front()),
                     quoted(type), escaped_markup(fmt::format("{}", fmt::join(lines, "\n"))));
}

std::string case_xml(const JunitCase& each) {
  std::string text = fmt::format("    <testcase classname={} name={} time=\"{:.3f}\"",
                                 quoted(each.classname), quoted(each.name), each.seconds);
  if (each.failures.empty() && each.errors.empty() && each.output.empty()) return text + "/>\n";
  text += ">\n";
  if (each.failures.empty())
    text += problem_xml("error", "unknown", each.errors);
  else
    text += problem_xml("failure", each.failure_type, each.failures);
  std::string output = each.output;
  if (!each.failures.empty() && !each.errors.empty())
    output += fmt::format("not known: {}\n", fmt::join(each.errors, "\nnot known: "));
  if (!output.empty()) text += "      <system-out>" + escaped_markup(output) + "</system-out>\n";
  return text + "    </testcase>\n";
}

std::string suite_xml(const JunitSuite& suite) {
  std::string text =
      fmt::format("  <testsuite name={} {}", quoted(suite.name), totals_of(suite).words());
  if (!suite.hostname.empty()) text += " hostname=" + quoted(suite.hostname);
  if (!suite.timestamp.empty()) text += " timestamp=" + quoted(suite.timestamp);
  text += ">\n";
  if (!suite.properties.empty()) {
    text += "    <properties>\n";
    for (const auto& [name, value] : suite.properties)
      text += fmt::format("      <property name={} value={}/>\n", quoted(name), quoted(value));
    text += "    </properties>\n";
  }
  for (const JunitCase& each : suite.cases) text += case_xml(each);
  return text + "  </testsuite>\n";
}

}  // namespace

std::string junit_xml(const std::string& name, const std::vector<JunitSuite>& suites) {
  Totals all;
  std::string text;
  for (const JunitSuite& suite : suites) {
    const Totals totals = totals_of(suite);
    all.tests += totals.tests;
    all.failures += totals.failures;
    all.errors += totals.errors;
    all.seconds += totals.seconds;
    text += suite_xml(suite);
  }
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name={} {}>\n",
                     quoted(name), all.words()) +
         text + "</testsuites>\n";
}

}  // namespace stallproof
