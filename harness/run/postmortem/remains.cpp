// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/explain/explain.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/explain/log_explanation.h"
#include "harness/explain/stall_class.h"
#include "harness/explain/vmcore/vmcore_look.h"
#include "harness/run/postmortem/kernel_log_left.h"
#include "harness/run/postmortem/postmortem.h"

namespace stallproof {
namespace {

constexpr Nanos kForJournal = 10 * kSecond;

bool tells_something(const std::optional<Explanation>& explanation) {
  return explanation && explanation->stall_class != kNoStall &&
         explanation->stall_class != kUnknownStall;
}

void take_log(Remains& remains, std::string where, std::string text, TiedBy by) {
  remains.log_where = std::move(where);
  remains.log = std::move(text);
  remains.log_by = by;
}

void find_log(Remains& remains, const UnfinishedRun& run, const std::string& root) {
  if (!remains.crash.log.empty())
    return take_log(remains, remains.crash.site.log_file, remains.crash.log, remains.crash.by);
  KernelLogLeft left = pstore_of(run, root);
  if (left.by <= TiedBy::time) {
    KernelLogLeft journal = journal_of(run, root, Deadline::in(kForJournal));
    if (journal.by > left.by) left = std::move(journal);
  }
  if (left.by != TiedBy::nothing) take_log(remains, left.where, std::move(left.text), left.by);
}

void explain_dump(Remains& remains, const FsKnowledge& knowledge) {
  const std::string& dump = remains.crash.site.dump;
  if (dump.empty()) return;
  const auto look = look_at_vmcore(dump, VmcoreView::explanation, {});
  if (!look) {
    remains.notes.push_back(look.error().what);
    return;
  }
  for (const std::string& missing : look->missing) remains.notes.push_back(dump + ": " + missing);
  remains.by_dump = explain(look->snapshot, knowledge);
}

}  // namespace

Remains look_at_remains(const UnfinishedRun& run, const std::string& root) {
  Remains remains;
  if (run.end != RunEnd::node_died) return remains;
  remains.crash = crash_of(run, find_crash_sites(root));
  find_log(remains, run, root);
  const auto knowledge = load_fs_knowledge({});
  if (!knowledge) {
    remains.notes.push_back(knowledge.error().what);
    return remains;
  }
  explain_dump(remains, *knowledge);
  if (remains.log.empty()) return remains;
  ExplainedLog log = explain_kernel_log(remains.log, *knowledge);
  if (!log.nothing_known) remains.by_log = std::move(log.explanation);
  return remains;
}

const Explanation* best_explanation(const Remains& remains) {
  if (tells_something(remains.by_dump)) return &*remains.by_dump;
  if (tells_something(remains.by_log)) return &*remains.by_log;
  // That the kernel reported something is more than nothing.
  if (remains.by_log && remains.by_log->stall_class == kUnknownStall) return &*remains.by_log;
  return nullptr;
}

}  // namespace stallproof
