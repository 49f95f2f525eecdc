// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "harness/base/markup.h"
#include "harness/explain/render.h"
#include "harness/explain/wait_picture.h"

namespace stallproof {
namespace {

constexpr double kRail = 26;  // where the circle is closed
constexpr double kLeft = 56;  // of the boxes
constexpr double kBox = 506;  // width of one
constexpr double kBoxHeight = 58;
constexpr double kGap = 56;     // between two: the arrow and its words
constexpr double kPanel = 612;  // left edge of the panels
constexpr double kLine = 19;
constexpr double kWidth = 990;

struct Look {
  std::string_view css, fill, stroke;
};

Look look_of(const ExplainedNode& node) {
  if (node.kind == NodeKind::lock) return {"wg-lock", "#fef3c7", "#b45309"};
  if (node.kind != NodeKind::task) return {"wg-service", "#dbeafe", "#1d4ed8"};
  switch (node.role) {
    case Role::holder:
      return {"wg-holder", "#fee2e2", "#b91c1c"};
    case Role::queued_writer:
      return {"wg-writer", "#ffedd5", "#c2410c"};
    case Role::queued_reader:
      return {"wg-reader", "#ede9fe", "#6d28d9"};
    case Role::service:
    case Role::idle_service:
      return {"wg-service", "#dbeafe", "#1d4ed8"};
    default:
      return {"wg-other", "#f3f4f6", "#4b5563"};
  }
}

std::string role_words(const ExplainedNode& node) {
  switch (node.kind) {
    case NodeKind::lock:
      return "lock";
    case NodeKind::fuse:
      return "FUSE connection";
    case NodeKind::device:
      return "device";
    case NodeKind::fs:
      return "file system";
    case NodeKind::task:
      break;
  }
  std::string words{node.role == Role::none ? std::string_view("task") : to_word(node.role)};
  std::replace(words.begin(), words.end(), '_', ' ');
  return node.state == '?' ? words : fmt::format("{}, state {}", words, node.state);
}

std::string stack_words(const ExplainedNode& node) {
  std::string words;
  for (const std::string& frame : node.stack) words += (words.empty() ? "" : " < ") + frame;
  return words;
}

// What is said of a task in a list: of one that only waits, what it waits for.
std::string words_beside(const PictureRow& row) {
  if (!row.node->note.empty()) return row.node->note;
  const bool plain = row.node->role == Role::bystander || row.node->role == Role::none;
  return plain && row.edge != nullptr && !row.edge->evidence.empty() ? row.edge->evidence
                                                                     : role_words(*row.node);
}

// What lies under the name in its box.
std::string second_line(const ExplainedNode& node) {
  const std::string stack = stack_words(node);
  return stack.empty() ? node.note : stack;
}

std::string all_of(const ExplainedNode& node) {
  std::string text = node.label + ", " + role_words(node);
  if (!node.note.empty()) text += "; " + node.note;
  if (!node.stack.empty()) text += "; stack: " + stack_words(node);
  return text;
}

struct TextStyle {
  double x = 0, y = 0;
  std::string_view css = "wg-text", fill = "#111827", more = "";
};

std::string text(const TextStyle& style, std::string_view words) {
  return fmt::format("<text class=\"{}\" x=\"{:g}\" y=\"{:g}\" fill=\"{}\"{}>{}</text>\n",
                     style.css, style.x, style.y, style.fill, style.more, escaped_markup(words));
}

class Picture {
 public:
  Picture(const Explanation& explanation, SvgUse use)
      : explanation_(explanation), use_(use), picture_(arrange_picture(explanation)) {
    top_ = use == SvgUse::file ? 48 : 8;
  }

  std::string draw() {
    std::string body;
    for (std::size_t i = 0; i < picture_.steps.size(); ++i) body += box(i) + arrow(i);
    if (picture_.closed) body += closing();
    double chain_end = box_top(picture_.steps.size());
    if (!picture_.closed && !picture_.steps.empty()) chain_end -= kGap;
    double panels_end = top_;
    for (const PicturePanel& panel : picture_.panels) body += draw_panel(panel, panels_end);
    if (picture_.steps.empty() && picture_.panels.empty())
      body += text({.x = kLeft, .y = top_ + 20}, "Nothing waits.");
    const double height = std::max({chain_end, panels_end, top_ + 40}) + 30;
    body += text({.x = kLeft,
                  .y = height - 10,
                  .css = "wg-small",
                  .fill = "#6b7280",
                  .more = " font-size=\"11\""},
                 "Solid: read from the lock, queue or request itself. Dashed: likely or inferred.");
    return head(height) + body + "</svg>\n";
  }

 private:
  [[nodiscard]] double box_top(std::size_t step) const {
    return top_ + static_cast<double>(step) * (kBoxHeight + kGap);
  }

  // The picture in one sentence, for who cannot see it.
  std::string in_words() const {
    std::string words = picture_.closed ? "A circle of waits: " : "A chain of waits: ";
    for (const PictureStep& step : picture_.steps) {
      words += step.node->label;
      if (step.next != nullptr) words += " " + edge_words(*step.next) + " ";
    }
    return picture_.closed ? words + picture_.steps.front().node->label : words;
  }

  std::string head(double height) const {
    std::string head = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"wg\" viewBox=\"0 0 {0:g} {1:g}\" "
        "width=\"{0:g}\" height=\"{1:g}\" role=\"img\" aria-label=\"{2}\" "
        "font-family=\"system-ui, sans-serif\" font-size=\"13\">\n",
        kWidth, height, escaped_markup(in_words()));
    if (use_ == SvgUse::page) return head;
    head += fmt::format("<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
                        escaped_markup(explanation_.signature));
    return head + text({.x = 20, .y = 28, .more = " font-size=\"16\" font-weight=\"bold\""},
                       explanation_.signature);
  }

  std::string box(std::size_t step) const {
    const ExplainedNode& node = *picture_.steps[step].node;
    const Look look = look_of(node);
    const double y = box_top(step);
    return fmt::format("<g class=\"wg-node {}\"><title>{}</title>\n", look.css,
                       escaped_markup(all_of(node))) +
           fmt::format(
               "<rect x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\" rx=\"7\" "
               "fill=\"{}\" stroke=\"{}\" stroke-width=\"{}\"/>\n",
               kLeft, y, kBox, kBoxHeight, look.fill, look.stroke, picture_.closed ? "2" : "1.3") +
           text({.x = kLeft + 14, .y = y + 24, .more = " font-size=\"15\" font-weight=\"bold\""},
                shortened(node.label, 38)) +
           text({.x = kLeft + kBox - 14,
                 .y = y + 24,
                 .css = "wg-role",
                 .fill = look.stroke,
                 .more = " text-anchor=\"end\" font-weight=\"bold\" font-size=\"12\""},
                role_words(node)) +
           text({.x = kLeft + 14,
                 .y = y + 45,
                 .css = "wg-small",
                 .fill = "#374151",
                 .more = " font-size=\"11.5\""},
                shortened(second_line(node), 72)) +
           "</g>\n";
  }

  [[nodiscard]] std::string_view line_look() const {
    return picture_.closed ? "class=\"wg-circle\" stroke=\"#dc2626\" stroke-width=\"2.5\""
                           : "class=\"wg-wait\" stroke=\"#4b5563\" stroke-width=\"1.8\"";
  }

  static std::string_view dashes(const ExplainedEdge& edge) {
    return edge.certainty == Certainty::exact ? "" : " stroke-dasharray=\"6 4\"";
  }

  std::string words_of(const ExplainedEdge& edge, double x, double y) const {
    return "<g><title>" + escaped_markup(edge.evidence) + "</title>\n" +
           text({.x = x,
                 .y = y,
                 .css = picture_.closed ? "wg-red" : "wg-text",
                 .fill = picture_.closed ? "#b91c1c" : "#374151",
                 .more = " font-weight=\"bold\" font-size=\"12\""},
                edge_words(edge)) +
           text({.x = x,
                 .y = y + 16,
                 .css = "wg-small",
                 .fill = "#6b7280",
                 .more = " font-size=\"11\""},
                shortened(edge.evidence, 76)) +
           "</g>\n";
  }

  std::string arrow(std::size_t step) const {
    const ExplainedEdge* edge = picture_.steps[step].next;
    if (edge == nullptr || step + 1 == picture_.steps.size()) return {};
    const double x = kLeft + 30, y = box_top(step) + kBoxHeight, end = y + kGap;
    return fmt::format("<path {} fill=\"none\" d=\"M{:g} {:g}V{:g}\"{}/>", line_look(), x, y,
                       end - 8, dashes(*edge)) +
           tip(fmt::format("M{:g} {:g}l-6 -11h12z", x, end - 1)) + words_of(*edge, x + 18, y + 24);
  }

  std::string tip(const std::string& path) const {
    return fmt::format("<path class=\"{}\" fill=\"{}\" d=\"{}\"/>\n",
                       picture_.closed ? "wg-red" : "wg-tip",
                       picture_.closed ? "#dc2626" : "#4b5563", path);
  }

  // From the last box back to the first one, along the left edge.
  std::string closing() const {
    const std::size_t last = picture_.steps.size() - 1;
    const ExplainedEdge* edge = picture_.steps[last].next;
    const double from = box_top(last) + kBoxHeight / 2, to = box_top(0) + kBoxHeight / 2;
    std::string out =
        fmt::format("<path {} fill=\"none\" d=\"M{:g} {:g}H{:g}V{:g}H{:g}\"{}/>", line_look(),
                    kLeft, from, kRail, to, kLeft - 8, edge == nullptr ? "" : dashes(*edge)) +
        tip(fmt::format("M{:g} {:g}l-11 -6v12z", kLeft - 1, to));
    if (edge == nullptr) return out;
    return out + words_of(*edge, kLeft + 14, box_top(last) + kBoxHeight + 22) +
           text({.x = kLeft + kBox,
                 .y = box_top(last) + kBoxHeight + 22,
                 .css = "wg-red",
                 .fill = "#b91c1c",
                 .more = " text-anchor=\"end\" font-weight=\"bold\" font-size=\"12\""},
                "↰ " + shortened(picture_.steps.front().node->label, 30) + ": closed");
  }

  std::string draw_panel(const PicturePanel& panel, double& bottom) const {
    const bool of_step = panel.step < picture_.steps.size();
    const double wanted = of_step ? box_top(panel.step) + 22 : bottom + 30;
    double y = std::max(bottom + 26, wanted);
    std::string out;
    if (of_step) {
      const double from = box_top(panel.step) + kBoxHeight / 2;
      out += fmt::format(
          "<path class=\"wg-line\" fill=\"none\" stroke=\"#9ca3af\" "
          "d=\"M{:g} {:g}H{:g}V{:g}H{:g}\"/>\n",
          kLeft + kBox, from, kLeft + kBox + 22, y - 4, kPanel - 6);
    }
    out += text({.x = kPanel, .y = y, .more = " font-weight=\"bold\" font-size=\"12\""},
                fmt::format("{} ({})", panel.title, panel.rows.size() + panel.left_out));
    for (const PictureRow& row : panel.rows) out += panel_row(row, y += kLine);
    if (panel.left_out > 0)
      out += text({.x = kPanel + 44, .y = y += kLine, .css = "wg-small", .fill = "#6b7280"},
                  fmt::format("… and {} more", panel.left_out));
    bottom = y;
    return out;
  }

  static std::string panel_row(const PictureRow& row, double y) {
    const ExplainedNode& node = *row.node;
    const Look look = look_of(node);
    const std::string title = all_of(node) + (row.edge == nullptr ? "" : "; " + row.edge->evidence);
    const double name = row.place.empty() ? kPanel + 16 : kPanel + 56;
    std::string out = fmt::format(
        "<g class=\"{}\"><title>{}</title>\n"
        "<rect x=\"{:g}\" y=\"{:g}\" width=\"9\" height=\"9\" rx=\"2\" fill=\"{}\" "
        "stroke=\"{}\"/>\n",
        look.css, escaped_markup(title), kPanel, y - 9, look.fill, look.stroke);
    if (!row.place.empty())
      out += text({.x = kPanel + 18, .y = y, .css = "wg-small", .fill = "#374151"}, row.place);
    const std::string words = words_beside(row);
    out += text({.x = name, .y = y, .more = row.in_chain ? " font-weight=\"bold\"" : ""},
                shortened(node.label, 26));
    const double used = name + 12 +
                        (row.in_chain ? 8.3 : 7.2) *
                            static_cast<double>(std::min<std::size_t>(node.label.size(), 26));
    const auto room = static_cast<std::size_t>(std::max(0.0, (kWidth - used) / 5.9));
    if (room > 8)
      out += text(
          {.x = used, .y = y, .css = "wg-small", .fill = "#6b7280", .more = " font-size=\"11\""},
          shortened(words, room));
    return out + "</g>\n";
  }

  const Explanation& explanation_;
  SvgUse use_;
  WaitPicture picture_;
  double top_ = 0;
};

}  // namespace

std::string render_svg(const Explanation& explanation, SvgUse use) {
  return Picture(explanation, use).draw();
}

}  // namespace stallproof
