// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "harness/explain/kernel_functions.h"
#include "harness/explain/render.h"

namespace stallproof {
namespace {

constexpr std::size_t kColumns = 96;
constexpr std::size_t kQueueShown = 8;
constexpr std::size_t kFramesShown = 6;
constexpr std::size_t kReportsShown = 40;

std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out;
  std::string line{indent};
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kColumns) {
      out += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return line.size() > indent.size() ? out + line + "\n" : out;
}

// Names come from other programs: nothing in them may steer the terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 32 || byte == 127 ? '?' : c;
  }
  return out;
}

class TextPage {
 public:
  explicit TextPage(const Explanation& explanation) : explanation_(explanation) {
    for (const ExplainedNode& node : explanation.nodes) nodes_.emplace(node.id, &node);
    for (const ExplainedEdge& edge : explanation.edges)
      edges_.emplace(edge.from + "\n" + edge.to, &edge);
  }

  std::string page() {
    out_ = fmt::format("{}\n{}\n", explanation_.stall_class,
                       explanation_.signature == explanation_.stall_class
                           ? std::string{}
                           : fmt::format("signature {}\n", explanation_.signature));
    out_ += wrapped(printable(explanation_.summary), "");
    circle();
    queue();
    idle();
    stacks();
    if (!explanation_.advice.empty())
      out_ += "\nWhat to do:\n" + wrapped(printable(explanation_.advice), "  ");
    if (!explanation_.blind_spots.empty()) out_ += "\nNot seen:\n";
    for (const std::string& spot : explanation_.blind_spots)
      out_ += wrapped("- " + printable(spot), "  ");
    reports();
    return out_;
  }

 private:
  const ExplainedNode* node(const std::string& id) const {
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? nullptr : found->second;
  }
  std::string label(const std::string& id) const {
    const ExplainedNode* found = node(id);
    return found == nullptr ? id : printable(found->label);
  }

  static std::string how(const ExplainedEdge& edge) {
    std::string verb = edge.kind == EdgeKind::held_by     ? "held by"
                       : edge.kind == EdgeKind::served_by ? "served by"
                                                          : "waits for";
    if (edge.mode && edge.kind == EdgeKind::held_by)
      verb = fmt::format("held for {} by", to_word(*edge.mode));
    if (edge.certainty != Certainty::exact) verb += fmt::format(" ({})", to_word(edge.certainty));
    return verb;
  }

  void circle() {
    if (!explanation_.cycle || explanation_.cycle->empty()) return;
    const std::vector<std::string>& ids = *explanation_.cycle;
    out_ += "\nThe circle:\n  " + with_role(ids.front()) + "\n";
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string& to = ids[(i + 1) % ids.size()];
      const auto edge = edges_.find(ids[i] + "\n" + to);
      const std::string verb = edge == edges_.end() ? "waits for" : how(*edge->second);
      const bool last = i + 1 == ids.size();
      out_ += fmt::format("    -> {} {}{}\n", verb, last ? label(to) : with_role(to),
                          last ? ": closed" : "");
      if (edge != edges_.end()) out_ += wrapped(printable(edge->second->evidence), "         ");
    }
  }

  std::string with_role(const std::string& id) const {
    const ExplainedNode* found = node(id);
    if (found == nullptr) return id;
    std::string text = printable(found->label);
    if (found->role != Role::none) text += fmt::format(" [{}]", to_word(found->role));
    return text;
  }

  void queue() {
    std::vector<const ExplainedEdge*> waiters;
    for (const ExplainedEdge& edge : explanation_.edges)
      if (edge.to == explanation_.root.lock && edge.kind == EdgeKind::waits_for)
        waiters.push_back(&edge);
    if (waiters.empty()) return;
    const ExplainedNode* lock = node(explanation_.root.lock);
    out_ += fmt::format("\nQueue of the {}{}:\n", label(explanation_.root.lock),
                        lock == nullptr || lock->note.empty() ? "" : ", " + lock->note);
    const std::size_t shown = std::min(waiters.size(), kQueueShown);
    std::string line;
    for (std::size_t i = 0; i < shown; ++i)
      line += fmt::format("{}{} {} {}{}", i == 0 ? "" : ", ", i + 1,
                          waiters[i]->mode == LockMode::write ? 'W' : 'R', label(waiters[i]->from),
                          waiters[i]->certainty == Certainty::exact ? "" : " (inferred)");
    if (shown < waiters.size()) line += rest_of(waiters, shown);
    out_ += wrapped(line, "  ");
  }

  static std::string rest_of(const std::vector<const ExplainedEdge*>& waiters, std::size_t from) {
    const auto writers =
        std::count_if(waiters.begin() + static_cast<std::ptrdiff_t>(from), waiters.end(),
                      [](const ExplainedEdge* edge) { return edge->mode == LockMode::write; });
    return fmt::format(", … {} more, {} of them writers", waiters.size() - from, writers);
  }

  void idle() {
    for (const ExplainedNode& found : explanation_.nodes)
      if (found.role == Role::idle_service)
        out_ += wrapped(printable(found.label + " is " + found.note), "  ");
  }

  // Without the frames that every sleep has.
  static std::string frames_of(const ExplainedNode& node) {
    std::string line;
    std::size_t shown = 0;
    for (const std::string& frame : node.stack) {
      if (shown == 0 && kernel_meaning(frame) == KernelMeaning::scheduler) continue;
      if (shown == kFramesShown) return line + " < …";
      line += (shown++ == 0 ? " " : " < ") + printable(frame);
    }
    return line;
  }

  // The holder, the first writer and one service thread: the three that tell the story.
  void stacks() {
    std::vector<const ExplainedNode*> told;
    const auto add = [&told](const ExplainedNode* found) {
      if (found != nullptr && !found->stack.empty() &&
          std::find(told.begin(), told.end(), found) == told.end())
        told.push_back(found);
    };
    add(node(explanation_.root.holder));
    add(node(explanation_.root.first_writer));
    if (explanation_.cycle)
      for (const std::string& id : *explanation_.cycle) add(node(id));
    for (const ExplainedNode& found : explanation_.nodes)
      if (told.size() < 3) add(&found);
    if (!told.empty()) out_ += "\nStacks, innermost first:\n";
    for (std::size_t i = 0; i < told.size() && i < 3; ++i) {
      std::string line = printable(told[i]->label) + ":";
      line += frames_of(*told[i]);
      if (!told[i]->note.empty() && told[i]->role == Role::holder)
        line += " (" + told[i]->note + ")";
      out_ += wrapped(line, "  ");
    }
  }

  // Each title once, by its first line.
  void reports() {
    if (!explanation_.reports || explanation_.reports->empty()) return;
    out_ += "\nReported by the kernel:\n";
    const auto groups = grouped_by_title(*explanation_.reports);
    for (std::size_t i = 0; i < std::min(groups.size(), kReportsShown); ++i) {
      const LogReport& first = *groups[i].first;
      out_ +=
          fmt::format("  line {}: {}: {}", first.line, to_word(first.kind), printable(first.title));
      if (!first.task.empty()) out_ += fmt::format(", {}", printable(first.task));
      if (first.pid >= 0) out_ += fmt::format(" {}", first.pid);
      if (first.seconds) out_ += fmt::format(", {} s", *first.seconds);
      if (groups[i].count > 1) out_ += fmt::format(", {} times", groups[i].count);
      out_ += "\n";
    }
    if (groups.size() > kReportsShown)
      out_ += fmt::format("  … {} more titles\n", groups.size() - kReportsShown);
  }

  const Explanation& explanation_;
  std::unordered_map<std::string, const ExplainedNode*> nodes_;
  std::unordered_map<std::string, const ExplainedEdge*> edges_;
  std::string out_;
};

}  // namespace

std::string render_text(const Explanation& explanation) { return TextPage(explanation).page(); }

}  // namespace stallproof
