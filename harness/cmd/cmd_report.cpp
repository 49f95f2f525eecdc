// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/one_line.h"
#include "harness/base/result_file.h"
#include "harness/cmd/command.h"
#include "harness/cmd/incident_choice.h"
#include "harness/cmd/stdout_text.h"
#include "harness/explain/render.h"
#include "harness/sink/report/report.h"
#include "harness/sink/report/stored_picture.h"

namespace stallproof {
namespace {

struct ReportWords {
  std::string run = "latest", out, incident;
  bool json = false, no_script = false;
};

std::string ending_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos || path.find('/', dot) != std::string::npos
             ? std::string()
             : path.substr(dot + 1);
}

// The wait-for graph of one incident: the one asked for, or the only one.
Result<std::string> graph_of(const RunContents& contents, const std::string& id) {
  const ReportIncident* found = nullptr;
  for (const ReportIncident& incident : contents.incidents)
    if (incident.stored.id == id || (id.empty() && contents.incidents.size() == 1))
      found = &incident;
  if (found == nullptr) {
    std::vector<std::string> ids;
    for (const ReportIncident& incident : contents.incidents) ids.push_back(incident.stored.id);
    return fail(fmt::format("report: {} has {} ({})", contents.run.directory,
                            id.empty()
                                ? "not one incident, which a graph is of: name it by --incident"
                                : "no incident " + on_one_line(id),
                            incident_choice(ids)));
  }
  if (!found->stored.explanation)
    return fail(fmt::format("report: incident {} has no explanation to draw", found->stored.id),
                Origin::infra);
  return render_svg(explanation_of(*found->stored.explanation));
}

Result<std::string> document_of(const RunContents& contents, const ReportWords& words,
                                const std::string& ending) {
  if (ending == "html" || ending == "htm") return html_report(contents, !words.no_script);
  if (ending == "md") return markdown_report(contents);
  if (ending == "json") return json_report(contents);
  if (ending == "svg") return graph_of(contents, words.incident);
  return fail(
      fmt::format("report -o {}: the name must end in .html, .md, .json or .svg", words.out));
}

Result<int> run(const ReportWords& words) {
  const auto directory = find_run_directory(words.run, "report");
  if (!directory) return Failure(directory.error());
  auto contents = read_contents(*directory);
  if (!contents) return fail("report: " + contents.error().what, contents.error().origin);
  for (const std::string& problem : contents->problems) say_on_stderr("report: " + problem);
  const int code = contents->problems.empty() ? 0 : 3;
  if (words.json) {
    const auto told = write_stdout(json_report(*contents));
    if (!told) return Failure(told.error());
    if (words.out.empty()) return code;
  }
  const bool merged = contents->run.verdict && !contents->run.verdict->fleet.empty();
  if (merged && words.out.empty())
    return fail(
        fmt::format("report: {} is a merge: its report.html tells of all nodes already "
                    "(give -o FILE for a page as of one run)",
                    *directory));
  contents->beside = words.out.empty();
  const std::string out = words.out.empty() ? *directory + "/report.html" : words.out;
  const auto document = document_of(*contents, words, ending_of(out));
  if (!document) return Failure(document.error());
  const auto written = replace_file(out, *document);
  if (!written) return fail("report: " + written.error().what, written.error().origin);
  if (words.json) return code;
  const auto told = write_stdout(out + "\n");
  return told ? Result<int>(code) : Result<int>(Failure(told.error()));
}

}  // namespace

RunCommand add_report(CLI::App& app) {
  const auto words = std::make_shared<ReportWords>();
  app.add_option("RUN", words->run, "Run directory, or the name of a run (default: latest)");
  app.add_option("-o,--out", words->out,
                 "Where to write it (default: report.html in the run directory); what is written "
                 "goes by the ending: .html, .md, .json, or .svg for a wait-for graph");
  app.add_option("--incident", words->incident, "With .svg: the incident to draw (001)");
  app.add_flag("--no-script", words->no_script,
               "A page without scripts, for a server that forbids them: no zoom, all the rest");
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  return [words] { return run(*words); };
}

}  // namespace stallproof
