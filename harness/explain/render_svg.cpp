// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <unordered_map>
#include <utility>

#include "harness/explain/render.h"

namespace stallproof {
namespace {

constexpr double kCenterX = 400;
constexpr double kCenterY = 350;
constexpr double kRadius = 270;
constexpr double kBoxWidth = 230;
constexpr double kBoxHeight = 54;
constexpr double kListX = 810;
constexpr double kLineHeight = 20;
constexpr std::size_t kListShown = 24;
constexpr double kWidth = 1280;

// Length of the UTF-8 sequence at `at`, 0 if it is none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                             : lead >= 0xe1 && lead < 0xed ? 3
                             : lead == 0xee                ? 3
                                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xc0U) != 0x80U) return 0;
  return length;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 128) {
      const std::size_t length = utf8_length(text, i);
      out += length == 0 ? "?" : std::string{text.substr(i, length)};
      if (length > 0) i += length - 1;
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += byte < 32 || byte == 127 ? '?' : c;
    }
  }
  return out;
}

std::string shortened(const std::string& text, std::size_t limit) {
  return text.size() <= limit ? text : text.substr(0, limit - 1) + "…";
}

std::string_view fill_of(const ExplainedNode& node) {
  if (node.kind == NodeKind::lock) return "#fff3c4";
  if (node.kind != NodeKind::task) return "#dbeafe";
  switch (node.role) {
    case Role::holder:
      return "#fecaca";
    case Role::queued_writer:
      return "#fed7aa";
    case Role::queued_reader:
      return "#e5e7eb";
    default:
      return "#f3f4f6";
  }
}

struct Point {
  double x = 0;
  double y = 0;
};

// Where the line from `from` to the middle of the box at `to` meets that box.
Point at_border(Point from, Point to) {
  const double dx = from.x - to.x;
  const double dy = from.y - to.y;
  if (dx == 0 && dy == 0) return to;
  const double scale_x = dx == 0 ? 1e9 : kBoxWidth / 2 / std::abs(dx);
  const double scale_y = dy == 0 ? 1e9 : kBoxHeight / 2 / std::abs(dy);
  const double scale = std::min({scale_x, scale_y, 1.0});
  return {to.x + dx * scale, to.y + dy * scale};
}

class Picture {
 public:
  explicit Picture(const Explanation& explanation) : explanation_(explanation) {
    for (const ExplainedNode& node : explanation.nodes) nodes_.emplace(node.id, &node);
    choose_ring();
  }

  std::string draw() {
    std::string body;
    for (const ExplainedEdge& edge : explanation_.edges) body += arrow(edge);
    for (const std::string& id : ring_) body += box(id);
    const std::string side = list();
    const double height = std::max(2 * kCenterY + 20, list_bottom_ + 20);
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
               "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\">\n"
               "<title>{2}</title>\n"
               "<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
               "markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">"
               "<path d=\"M0 0L10 5L0 10z\" fill=\"#b91c1c\"/></marker></defs>\n"
               "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
               "<text x=\"20\" y=\"28\" font-size=\"16\" font-weight=\"bold\">{2}</text>\n",
               kWidth, height, escaped(explanation_.signature)) +
           body + side + "</svg>\n";
  }

 private:
  // The cycle; without one the lock, its holder and first writer, and the services.
  void choose_ring() {
    if (explanation_.cycle) {
      ring_ = *explanation_.cycle;
    } else {
      for (const std::string& id :
           {explanation_.root.holder, explanation_.root.lock, explanation_.root.first_writer})
        if (!id.empty()) ring_.push_back(id);
      for (const ExplainedNode& node : explanation_.nodes)
        if ((node.kind == NodeKind::fuse || node.kind == NodeKind::fs) && ring_.size() < 8)
          ring_.push_back(node.id);
    }
    for (std::size_t i = 0; i < ring_.size(); ++i) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(ring_.size()) -
          std::numbers::pi / 2;
      places_[ring_[i]] = {kCenterX + kRadius * std::cos(angle),
                           kCenterY + 10 + kRadius * std::sin(angle)};
    }
  }

  bool on_cycle(const ExplainedEdge& edge) const {
    if (!explanation_.cycle) return false;
    for (std::size_t i = 0; i < ring_.size(); ++i)
      if (ring_[i] == edge.from && ring_[(i + 1) % ring_.size()] == edge.to) return true;
    return false;
  }

  std::string arrow(const ExplainedEdge& edge) const {
    const auto from = places_.find(edge.from);
    const auto to = places_.find(edge.to);
    if (from == places_.end() || to == places_.end()) return {};
    if (explanation_.cycle && !on_cycle(edge)) return {};
    const Point begin = at_border(to->second, from->second);
    const Point end = at_border(from->second, to->second);
    std::string label{edge.kind == EdgeKind::held_by     ? "held by"
                      : edge.kind == EdgeKind::served_by ? "served by"
                                                         : "waits for"};
    if (edge.mode) label += edge.mode == LockMode::write ? ", write" : ", read";
    return fmt::format(
        "<line x1=\"{:.0f}\" y1=\"{:.0f}\" x2=\"{:.0f}\" y2=\"{:.0f}\" stroke=\"#b91c1c\" "
        "stroke-width=\"2\"{} marker-end=\"url(#tip)\"><title>{}</title></line>\n"
        "<text x=\"{:.0f}\" y=\"{:.0f}\" font-size=\"11\" text-anchor=\"middle\" fill=\"#7f1d1d\" "
        "stroke=\"white\" stroke-width=\"4\" paint-order=\"stroke\">{}</text>\n",
        begin.x, begin.y, end.x, end.y,
        edge.certainty == Certainty::exact ? "" : " stroke-dasharray=\"6 4\"",
        escaped(edge.evidence), (begin.x + end.x) / 2, (begin.y + end.y) / 2,
        escaped(edge.certainty == Certainty::exact
                    ? label
                    : fmt::format("{} ({})", label, to_word(edge.certainty))));
  }

  std::string box(const std::string& id) const {
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) return {};
    const ExplainedNode& node = *found->second;
    const Point place = places_.at(id);
    std::string second =
        node.role == Role::none ? shortened(node.note, 32) : std::string{to_word(node.role)};
    if (node.kind == NodeKind::task && !node.stack.empty() && node.role == Role::holder)
      second += fmt::format(", state {}", node.state);
    return fmt::format(
        "<g><title>{}</title><rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{}\" height=\"{}\" rx=\"6\" "
        "fill=\"{}\" stroke=\"#374151\"/>\n"
        "<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>\n"
        "<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\" font-size=\"11\">{}</text></g>\n",
        escaped(tooltip(node)), place.x - kBoxWidth / 2, place.y - kBoxHeight / 2, kBoxWidth,
        kBoxHeight, fill_of(node), place.x, place.y - 4, escaped(shortened(node.label, 31)),
        place.x, place.y + 16, escaped(second));
  }

  static std::string tooltip(const ExplainedNode& node) {
    std::string text = node.label;
    for (const std::string& frame : node.stack) text += " < " + frame;
    return node.note.empty() ? text : text + " (" + node.note + ")";
  }

  std::string line(const std::string& text, std::string_view weight) {
    list_bottom_ += kLineHeight;
    return fmt::format("<text x=\"{}\" y=\"{:.0f}\" font-weight=\"{}\">{}</text>\n", kListX,
                       list_bottom_, weight, escaped(text));
  }

  std::string list() {
    std::string out;
    std::size_t place = 0;
    std::set<std::string> queued;
    for (const ExplainedEdge& edge : explanation_.edges) {
      if (edge.to != explanation_.root.lock || edge.kind != EdgeKind::waits_for) continue;
      if (place == 0) out += line("Queue of the lock, in order", "bold");
      queued.insert(edge.from);
      if (++place > kListShown) continue;
      const auto found = nodes_.find(edge.from);
      out += line(fmt::format("{}. {} {}", place, edge.mode == LockMode::write ? 'W' : 'R',
                              found == nodes_.end() ? edge.from : found->second->label),
                  "normal");
    }
    if (place > kListShown) out += line(fmt::format("… {} more", place - kListShown), "normal");
    return out + others(queued);
  }

  std::string others(const std::set<std::string>& queued) {
    std::string out;
    std::size_t count = 0;
    for (const ExplainedNode& node : explanation_.nodes) {
      if (queued.contains(node.id) || places_.contains(node.id)) continue;
      if (count == 0) {
        list_bottom_ += kLineHeight / 2;
        out += line("Also there", "bold");
      }
      if (++count > kListShown) continue;
      const std::string role =
          node.role == Role::none ? "" : fmt::format(", {}", to_word(node.role));
      out += line(shortened(fmt::format("{}{}", node.label, role), 60), "normal");
    }
    if (count > kListShown) out += line(fmt::format("… {} more", count - kListShown), "normal");
    return out;
  }

  const Explanation& explanation_;
  std::unordered_map<std::string, const ExplainedNode*> nodes_;
  std::vector<std::string> ring_;
  std::unordered_map<std::string, Point> places_;
  double list_bottom_ = 50;
};

}  // namespace

std::string render_svg(const Explanation& explanation) { return Picture(explanation).draw(); }

}  // namespace stallproof
