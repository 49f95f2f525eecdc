// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/report.h"

#include <fmt/format.h>

#include <random>

#include "harness/base/file.h"
#include "harness/base/markup.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

std::string chance_word() {
  std::random_device chance;
  return fmt::format("{:08x}{:08x}{:08x}", chance(), chance(), chance());
}

// Nothing is loaded from anywhere; of scripts only the page's own, if it has one.
std::string policy(const std::string& nonce) {
  return fmt::format(
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' "
      "data:; style-src 'unsafe-inline'{}\">\n",
      nonce.empty() ? "" : fmt::format("; script-src 'nonce-{}'", nonce));
}

}  // namespace

std::string html_report(const RunContents& contents, bool with_script) {
  const bool scripts = with_script && !uplot_script().empty() && !contents.loads.empty();
  const std::string nonce = scripts ? chance_word() : std::string();
  const TimeSection time = time_section(contents, nonce);
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" + policy(nonce) +
      "<link rel=\"icon\" href=\"data:,\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n" +
      fmt::format("<title>{}: {}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n",
                  verdict_word(contents), escaped_markup(contents.run.id), report_style(),
                  nonce.empty() ? std::string_view() : uplot_style());
  page += head_section(contents) + "<main>\n" + verdict_section(contents) + time.html;
  page += incidents_section(contents) + loads_section(contents) + machine_section(contents) +
          observer_section(contents) + "</main>\n";
  return page + time.scripts + "</body>\n</html>\n";
}

Result<> write_report(const std::string& directory) {
  auto contents = read_contents(directory);
  if (!contents) return Failure(contents.error());
  contents->beside = true;
  return write_file_atomically(directory + "/report.html", html_report(*contents, true));
}

}  // namespace stallproof
