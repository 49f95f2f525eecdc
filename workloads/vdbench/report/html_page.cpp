// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/html_page.h"

#include <fmt/format.h>

#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

constexpr int kLabelWidth = 32;
constexpr std::size_t kNamesInLine = 8;

// rd1 For loops: threads=1 xfersize=4k
std::string link_text(const PlannedRun& run, bool file_systems) {
  const std::string text = run_text(run, file_systems);
  const auto loops = text.find("For loops:");
  return run.name + " " + (loops == std::string::npos ? "For loops: None" : text.substr(loops));
}

// Behind the last blank, if all before it is as above.
std::string changed_part(const std::string& text, const std::string& above) {
  const auto blank = text.rfind(' ');
  if (above.substr(0, above.rfind(' ')) != text.substr(0, blank)) return text;
  return text == above ? "" : text.substr(blank + 1);
}

std::string anchor(std::size_t index) { return fmt::format("_{}", index + 1); }

}  // namespace

std::string page_title(std::string_view folder, std::string_view file) {
  return fmt::format("<title>Vdbench {}/{}</title><pre>\n", folder, file);
}

std::string page_link(std::string_view label, std::string_view page, std::string_view shown) {
  return fmt::format("{:<{}} <A HREF=\"{}.html\">{}</A>\n", fmt::format("{}:", label), kLabelWidth,
                     page, shown);
}

std::string page_links(std::string_view kind, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string text = fmt::format("{:<{}}", fmt::format("Link to {} reports:", kind), kLabelWidth);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0 && i % kNamesInLine == 0) text += fmt::format("\n{:<{}}", "", kLabelWidth);
    const std::size_t padding = names[i].size() < 8 ? 8 - names[i].size() : 0;
    text += fmt::format(" <A HREF=\"{0}.html\">{0}</A>{1:<{2}}", names[i], "", padding);
  }
  return text + "\n";
}

std::string run_links(const Plan& plan) {
  std::string text = "\n", above;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const std::string whole = link_text(plan.runs[i], plan.file_systems);
    const std::string shown = changed_part(whole, above);
    text += fmt::format("{:<{}}{:<{}} <A HREF=\"#{}\">{}</A>\n",
                        i == 0 ? "Link to Run Definitions:" : "", kLabelWidth, "",
                        whole.size() - shown.size(), anchor(i), shown);
    above = whole;
  }
  return text + "\n";
}

std::string run_start(std::string_view time, const PlannedRun& run, bool file_systems) {
  return fmt::format("{} Starting {}\n", time, run_text(run, file_systems));
}

std::string run_start_html(std::string_view time, const PlannedRun& run, bool file_systems,
                           std::size_t index) {
  return fmt::format("\n<a name=\"{}\"></a><i><b>{} Starting {}</b></i>\n\n", anchor(index), time,
                     run_text(run, file_systems));
}

}  // namespace stallproof
