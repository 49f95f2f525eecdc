// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/next_commands.h"

#include <fmt/format.h>

#include <algorithm>

namespace stallproof {
namespace {

const ExplainedNode* find_node(const Explanation& explanation, const std::string& id) {
  for (const ExplainedNode& node : explanation.nodes)
    if (node.id == id) return &node;
  return nullptr;
}

// The FUSE connection of the circle, else the first that anybody waits for.
std::string connection_of(const Explanation& explanation) {
  const auto number = [](const std::string& id) {
    return id.starts_with("fuse:") && id.find_first_not_of("0123456789", 5) == std::string::npos
               ? id.substr(5)
               : std::string();
  };
  if (explanation.cycle)
    for (const std::string& id : *explanation.cycle)
      if (auto found = number(id); !found.empty()) return found;
  for (const ExplainedEdge& edge : explanation.edges)
    if (auto found = number(edge.to); !found.empty()) return found;
  return {};
}

// Whose end opens the queue: the process of the first writer, else of the holder.
const ExplainedNode* victim(const Explanation& explanation) {
  for (const std::string& id : {explanation.root.first_writer, explanation.root.holder})
    if (const auto* node = find_node(explanation, id); node != nullptr && node->tgid > 0)
      return node;
  return nullptr;
}

const ExplainedNode* some_task(const Explanation& explanation) {
  const auto found = std::find_if(
      explanation.nodes.begin(), explanation.nodes.end(),
      [](const ExplainedNode& node) { return node.kind == NodeKind::task && node.tid > 0; });
  return found == explanation.nodes.end() ? nullptr : &*found;
}

NextCommand look_again(const CaptureContext& context) {
  return {fmt::format("stallproof explain {}", context.archive),
          "shows the explanation again, on any machine; --format svg draws it"};
}

std::vector<NextCommand> when_nothing_stands(const CaptureContext& context) {
  return {{fmt::format("stallproof watch {}",
                       context.target_words.empty() ? "--mount DIR" : context.target_words),
           "catches and explains it when it comes"},
          {fmt::format("stallproof capture{}{}", context.target_words.empty() ? "" : " ",
                       context.target_words),
           "again, while it stands"},
          {"stallproof doctor", "says what this machine lets us see"}};
}

}  // namespace

std::vector<NextCommand> next_commands(const Explanation& explanation,
                                       const CaptureContext& context) {
  if (explanation.stall_class == "none") return when_nothing_stands(context);
  std::vector<NextCommand> commands;
  if (const std::string number = connection_of(explanation); !number.empty())
    commands.push_back(
        {fmt::format(
             "{}echo 1 > /sys/fs/fuse/connections/{}/abort",
             context.fusectl_mounted ? "" : "mount -t fusectl none /sys/fs/fuse/connections && ",
             number),
         "ends every request of that FUSE connection with an error: its users go on, the mount is "
         "lost"});
  if (const ExplainedNode* task = victim(explanation))
    commands.push_back({fmt::format("kill -9 {}", task->tgid),
                        "ends that process: a writer that waits killably leaves the queue, and the "
                        "readers behind it pass"});
  else if (const ExplainedNode* blocked = some_task(explanation))
    commands.push_back({fmt::format("cat /proc/{}/stack", blocked->tid),
                        "where it sleeps now; twice the same is a stall"});
  if (commands.size() < 2)
    commands.push_back({"echo c > /proc/sysrq-trigger",
                        "crashes this machine into kdump, if it is armed (stallproof doctor): a "
                        "core shows every lock"});
  commands.push_back(look_again(context));
  if (commands.size() < 3) commands.push_back({"stallproof doctor", "says what could not be seen"});
  commands.resize(3);
  return commands;
}

}  // namespace stallproof
