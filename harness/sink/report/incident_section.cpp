// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/base/markup.h"
#include "harness/explain/render.h"
#include "harness/explain/wait_picture.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/stored_picture.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kAroundDrawn = 6;

// The circle, or the chain of waits, as text.
std::string steps_list(const Explanation& explanation) {
  const WaitPicture picture = arrange_picture(explanation);
  if (picture.steps.empty()) return {};
  std::string out = fmt::format("<details><summary>{} as text</summary>\n<ol>\n",
                                picture.closed ? "The circle" : "The chain of waits");
  for (const PictureStep& step : picture.steps) {
    out += fmt::format("<li><strong>{}</strong>", escaped_markup(step.node->label));
    if (step.next != nullptr)
      out +=
          fmt::format(" {} … <span class=\"soft\">{}</span>",
                      escaped_markup(edge_words(*step.next)), escaped_markup(step.next->evidence));
    out += "</li>\n";
  }
  if (picture.closed)
    out += fmt::format("<li>… {} again: it can never open by itself.</li>\n",
                       escaped_markup(picture.steps.front().node->label));
  return out + "</ol></details>\n";
}

std::string stacks_of(const Explanation& explanation) {
  const std::string text = stacks_text(explanation);
  if (text.empty()) return {};
  return fmt::format(
      "<details><summary>Stacks, innermost first</summary>\n<pre>{}</pre></details>\n",
      escaped_markup(text));
}

// What is no plain character of a path is written by its number.
std::string relative_link(const std::string& path) {
  std::string link;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '/';
    link += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return link;
}

std::string file_list(const ReportIncident& incident, bool links) {
  if (incident.files.empty()) return {};
  std::string out =
      fmt::format("<details><summary>Evidence, {} files</summary>\n<ul>\n", incident.files.size());
  for (const EvidenceFile& file : incident.files) {
    const std::string path = evidence_path(incident, file);
    const std::string name = fmt::format("<code>{}</code>", escaped_markup(path));
    out +=
        fmt::format("<li>{} <span class=\"soft\">{}</span></li>\n",
                    links ? fmt::format("<a href=\"{}\">{}</a>", relative_link(path), name) : name,
                    bytes_words(file.bytes));
  }
  return out + "</ul></details>\n";
}

std::string support_list(const StoredIncident& stored) {
  const std::string seen = seen_by_words(stored);
  if (seen.empty()) return {};
  std::string out = fmt::format("<p class=\"soft\">{}</p>\n", escaped_markup(seen));
  if (stored.support.empty()) return out;
  out += "<ul>\n";
  for (const StoredSupport& each : stored.support)
    out +=
        fmt::format("<li>{}: {}</li>\n", escaped_markup(each.detector), escaped_markup(each.what));
  return out + "</ul>\n";
}

float rate_of(const LoadPoint& point) { return point.per_second; }

// The minute before and after, at a tenth of a second.
std::string around_charts(const ReportIncident& incident, const RunContents& contents) {
  TimeAxis axis = axis_of(contents);
  bool any = false;
  for (const LoadSeries& load : incident.around) {
    if (load.points.size() < 2) continue;
    const auto first = static_cast<double>(load.points.front().t_s);
    const auto last = static_cast<double>(load.points.back().t_s);
    axis.begin_s = any ? std::min(axis.begin_s, first) : first;
    axis.end_s = any ? std::max(axis.end_s, last) : last;
    any = true;
  }
  if (!any || !(axis.end_s > axis.begin_s)) return {};
  std::string out = "<div class=\"figure\"><h3>Throughput around it, every 100 ms</h3>\n";
  std::size_t drawn = 0;
  for (const LoadSeries& load : incident.around) {
    if (load.points.size() < 2 || ++drawn > kAroundDrawn) continue;
    float highest = 0;
    for (const LoadPoint& point : load.points) highest = std::max(highest, point.per_second);
    const ValueScale scale = linear_scale(static_cast<double>(highest));
    const std::string svg = draw_chart(
        {.title = fmt::format("Throughput of {} around incident {}", load.name, incident.stored.id),
         .scale = scale,
         .height = 70,
         .lines = {{"per second", "rate", "#2563eb", rate_of}}},
        load.points, axis, bands_of(contents));
    out += fmt::format(
        "<div class=\"row\"><div class=\"rowhead\"><strong>{}</strong></div>\n{}</div>\n",
        escaped_markup(load.name), static_plot({}, svg, count_words(scale.high) + "/s", "0"));
  }
  return out + axis_labels(axis) + "</div>\n";
}

std::string commands_of(const ReportIncident& incident, const RunContents& contents) {
  std::string out;
  for (const std::string& command : incident_commands(incident, contents))
    out += (out.empty() ? "" : "\n") + command;
  return fmt::format("<h3>Make it again, and read it as text</h3>\n<pre><code>{}</code></pre>\n",
                     escaped_markup(out));
}

std::string told(const ReportIncident& incident, const RunContents& contents) {
  const StoredIncident& stored = incident.stored;
  std::string out = fmt::format(
      "<article id=\"incident-{0}\">\n<h3>Incident {0}: {1}</h3>\n<p><code>{2}</code></p>\n"
      "<p>{3}</p>\n",
      escaped_markup(stored.id), escaped_markup(stored.stall_class),
      escaped_markup(stored.signature),
      escaped_markup(incident_times(incident, axis_of(contents))));
  if (stored.explanation) {
    const Explanation explanation = explanation_of(*stored.explanation);
    out += fmt::format("<p>{}</p>\n", escaped_markup(explanation.summary));
    out += fmt::format(
        "<details open class=\"picture\"><summary>Who waits for whom</summary>\n"
        "<div class=\"graph\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"Wait-for graph of incident {}\">\n{}</div></details>\n",
        escaped_markup(stored.id), render_svg(explanation, SvgUse::page));
    out += steps_list(explanation);
    if (!explanation.advice.empty())
      out += fmt::format("<h3>What to do while it stands</h3>\n<p>{}</p>\n",
                         escaped_markup(explanation.advice));
    if (!explanation.blind_spots.empty())
      out += fmt::format("<p class=\"note\">Not seen: {}</p>\n",
                         escaped_markup(joined_words(explanation.blind_spots, ", ")));
    out += around_charts(incident, contents) + stacks_of(explanation);
  } else {
    out += "<p class=\"note\">It was not explained, or the explanation is missing.</p>\n" +
           around_charts(incident, contents);
  }
  return out + file_list(incident, contents.beside) + support_list(stored) +
         commands_of(incident, contents) + "</article>\n";
}

}  // namespace

std::string incidents_section(const RunContents& contents) {
  std::string out = "<section id=\"incidents\">\n<h2>Incidents</h2>\n";
  if (contents.incidents.empty()) return out + "<p>None.</p>\n</section>\n";
  if (contents.incidents.size() > 1) out += html_table(incident_table(contents));
  for (std::size_t i = 0; i < contents.incidents.size() && i < kToldInFull; ++i)
    out += told(contents.incidents[i], contents);
  if (contents.incidents.size() > kToldInFull)
    out += fmt::format("<p>The first {} are told in full; stallproof show tells the others.</p>\n",
                       kToldInFull);
  return out + "</section>\n";
}

}  // namespace stallproof
