// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/wait_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

#include "harness/explain/render.h"

namespace stallproof {
namespace {

constexpr std::size_t kStepsShown = 12;
constexpr std::size_t kRowsShown = 16;

class Arrangement {
 public:
  explicit Arrangement(const Explanation& explanation) : explanation_(explanation) {
    for (const ExplainedNode& node : explanation.nodes) nodes_.emplace(node.id, &node);
  }

  WaitPicture all() {
    if (explanation_.cycle)
      closed_chain();
    else
      open_chain();
    for (const PictureStep& step : picture_.steps) in_chain_.insert(step.node->id);
    for (std::size_t i = 0; i < picture_.steps.size(); ++i) panels_of(i);
    others();
    return std::move(picture_);
  }

 private:
  const ExplainedNode* find(const std::string& id) const {
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? nullptr : found->second;
  }

  const ExplainedEdge* edge_between(const std::string& from, const std::string& to) const {
    for (const ExplainedEdge& edge : explanation_.edges)
      if (edge.from == from && edge.to == to) return &edge;
    return nullptr;
  }

  void closed_chain() {
    const std::vector<std::string>& cycle = *explanation_.cycle;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const ExplainedNode* node = find(cycle[i]);
      if (node == nullptr) continue;
      picture_.steps.push_back({node, edge_between(cycle[i], cycle[(i + 1) % cycle.size()])});
    }
    picture_.closed = picture_.steps.size() == cycle.size() && !cycle.empty();
  }

  // Who waits first: the writer that all others queue behind, else whoever waits for the lock, for
  // what the holder waits for, or for anything.
  const ExplainedNode* beginning() const {
    if (const ExplainedNode* writer = find(explanation_.root.first_writer)) return writer;
    for (const std::string& id : {explanation_.root.lock, explanation_.root.holder})
      for (const ExplainedEdge& edge : explanation_.edges)
        if (!id.empty() && edge.to == id && edge.kind == EdgeKind::waits_for)
          if (const ExplainedNode* waiter = find(edge.from)) return waiter;
    for (const ExplainedEdge& edge : explanation_.edges)
      if (edge.kind == EdgeKind::waits_for)
        if (const ExplainedNode* waiter = find(edge.from)) return waiter;
    for (const std::string& id : {explanation_.root.lock, explanation_.root.holder})
      if (const ExplainedNode* node = find(id)) return node;
    return explanation_.nodes.empty() ? nullptr : &explanation_.nodes.front();
  }

  // The most telling way on: to the lock or holder it is about, then to who waits itself.
  int rank(const ExplainedEdge& edge) const {
    int value = edge.certainty == Certainty::exact ? 1 : 0;
    if (edge.to == explanation_.root.holder || edge.to == explanation_.root.lock) value += 8;
    for (const ExplainedEdge& next : explanation_.edges)
      if (next.from == edge.to) return value + 4;
    const ExplainedNode* node = find(edge.to);
    return node != nullptr && node->role == Role::idle_service ? value - 2 : value;
  }

  void open_chain() {
    const ExplainedNode* node = beginning();
    std::set<std::string> seen;
    while (node != nullptr && picture_.steps.size() < kStepsShown && seen.insert(node->id).second) {
      const ExplainedEdge* best = nullptr;
      for (const ExplainedEdge& edge : explanation_.edges) {
        if (edge.from != node->id || seen.contains(edge.to) || find(edge.to) == nullptr) continue;
        if (best == nullptr || rank(edge) > rank(*best)) best = &edge;
      }
      picture_.steps.push_back({node, best});
      node = best == nullptr ? nullptr : find(best->to);
    }
    // Cut at the limit: an arrow to nothing would be drawn.
    if (node != nullptr && !picture_.steps.empty()) picture_.steps.back().next = nullptr;
  }

  bool is_step(const ExplainedEdge& edge) const {
    return std::any_of(picture_.steps.begin(), picture_.steps.end(),
                       [&edge](const PictureStep& step) { return step.next == &edge; });
  }

  void panels_of(std::size_t step) {
    const ExplainedNode& node = *picture_.steps[step].node;
    if (node.kind == NodeKind::lock) queue_of(step, node);
    PicturePanel waiting{.step = step, .title = "Wait for it as well"};
    PicturePanel holding{.step = step, .title = "Hold it as well"};
    PicturePanel serving{.step = step, .title = "Could answer it as well"};
    for (const ExplainedEdge& edge : explanation_.edges) {
      if (is_step(edge)) continue;
      if (edge.to == node.id && edge.kind == EdgeKind::waits_for && node.kind != NodeKind::lock &&
          !queued_.contains(edge.from) && !waits_for_lock(edge.from))
        add(waiting, edge.from, edge);
      if (edge.from == node.id && edge.kind == EdgeKind::held_by) add(holding, edge.to, edge);
      if (edge.from == node.id && edge.kind == EdgeKind::served_by) add(serving, edge.to, edge);
    }
    for (PicturePanel* panel : {&holding, &waiting, &serving})
      if (!panel->rows.empty()) picture_.panels.push_back(std::move(*panel));
  }

  // A reader behind a writer stands in the queue of their lock.
  bool waits_for_lock(const std::string& id) const {
    for (const ExplainedEdge& edge : explanation_.edges) {
      if (edge.from != id || edge.kind != EdgeKind::waits_for) continue;
      const ExplainedNode* to = find(edge.to);
      if (to != nullptr && to->kind == NodeKind::lock && in_chain_.contains(to->id)) return true;
    }
    return false;
  }

  void queue_of(std::size_t step, const ExplainedNode& lock) {
    PicturePanel panel{.step = step, .title = "Its queue, in order"};
    std::size_t place = 0;
    for (const ExplainedEdge& edge : explanation_.edges) {
      if (edge.to != lock.id || edge.kind != EdgeKind::waits_for) continue;
      queued_.insert(edge.from);
      const std::size_t before = panel.rows.size();
      add(panel, edge.from, edge);
      const char* mode = !edge.mode ? "" : *edge.mode == LockMode::write ? " W" : " R";
      if (panel.rows.size() > before) panel.rows.back().place = fmt::format("{}{}", ++place, mode);
    }
    if (!panel.rows.empty()) picture_.panels.push_back(std::move(panel));
  }

  void add(PicturePanel& panel, const std::string& id, const ExplainedEdge& edge) {
    const ExplainedNode* node = find(id);
    if (node == nullptr) return;
    listed_.insert(id);
    if (panel.rows.size() < kRowsShown)
      panel.rows.push_back({{}, node, &edge, in_chain_.contains(id)});
    else
      ++panel.left_out;
  }

  void others() {
    PicturePanel panel{.step = picture_.steps.size(), .title = "Also there"};
    for (const ExplainedNode& node : explanation_.nodes) {
      if (in_chain_.contains(node.id) || listed_.contains(node.id)) continue;
      if (panel.rows.size() < kRowsShown)
        panel.rows.push_back({{}, &node, nullptr, false});
      else
        ++panel.left_out;
    }
    if (!panel.rows.empty()) picture_.panels.push_back(std::move(panel));
  }

  const Explanation& explanation_;
  std::unordered_map<std::string, const ExplainedNode*> nodes_;
  std::set<std::string> in_chain_, queued_, listed_;
  WaitPicture picture_;
};

}  // namespace

WaitPicture arrange_picture(const Explanation& explanation) {
  return Arrangement(explanation).all();
}

std::string edge_words(const ExplainedEdge& edge) {
  std::string words;
  const std::string mode = edge.mode ? std::string(to_word(*edge.mode)) : std::string();
  if (edge.kind == EdgeKind::held_by)
    words = mode.empty() ? "held by" : fmt::format("held for {} by", mode);
  else if (edge.kind == EdgeKind::served_by)
    words = "to be answered by";
  else
    words = mode.empty() ? "waits for" : fmt::format("waits to {}", mode);
  if (edge.certainty != Certainty::exact) words += fmt::format(" ({})", to_word(edge.certainty));
  return words;
}

}  // namespace stallproof
