// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/sink/report/sections.h"

namespace stallproof {

std::string fact_list(const std::vector<Fact>& facts) {
  std::string out = "<dl>\n";
  for (const Fact& fact : facts)
    if (!fact.value.empty())
      out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", fact.name, escaped_markup(fact.value));
  return out + "</dl>\n";
}

std::string html_table(const ReportTable& table) {
  const auto number = [&table](std::size_t column) {
    return column < table.numbers.size() && table.numbers[column] ? " class=\"n\"" : "";
  };
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">"
      "<table><caption>{0}</caption><thead><tr>",
      escaped_markup(table.caption));
  for (std::size_t i = 0; i < table.headings.size(); ++i)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", number(i), escaped_markup(table.headings[i]));
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", escaped_markup(row[i]))
                    : fmt::format("<td{}>{}</td>", number(i), escaped_markup(row[i]));
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string static_plot(const std::string& id, const std::string& svg, const std::string& high,
                        const std::string& low) {
  return fmt::format(
      "<div class=\"plot\"{}>{}<span class=\"y hi\">{}</span><span class=\"y "
      "lo\">{}</span></div>\n",
      id.empty() ? "" : fmt::format(" id=\"{}\"", id), svg, escaped_markup(high),
      escaped_markup(low));
}

std::string axis_labels(const TimeAxis& axis) {
  std::string out = "<div class=\"axis\" aria-hidden=\"true\">";
  bool odd = false;
  for (const TimeTick& tick : axis.ticks()) {
    const char* edge = tick.percent < 3 ? " edge" : tick.percent > 97 ? " edge end" : "";
    out += fmt::format("<span class=\"{}{}\" style=\"left:{:.2f}%\">{}</span>",
                       odd ? "odd" : "even", edge, tick.percent, escaped_markup(tick.text));
    odd = !odd;
  }
  return out + "</div>\n";
}

}  // namespace stallproof
