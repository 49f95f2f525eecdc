// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/explain/render.h"
#include "harness/run/postmortem/postmortem.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// The end of a log is what tells of a death.
constexpr std::size_t kMostOfLog = 4U << 20U;

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string facts_json(const UnfinishedRun& run, const Remains& remains) {
  const CrashSite& site = remains.crash.site;
  return Json{{"schema", 1},
              {"run", run.id},
              {"ended", run.end == RunEnd::node_died ? "node_died" : "controller_died"},
              {"why", run.why},
              {"boot_id", or_null(run.boot_id)},
              {"crash",
               {{"directory", or_null(site.directory)},
                {"vmcore", or_null(site.dump)},
                {"incomplete", or_null(site.incomplete)},
                {"log", or_null(site.log_file)},
                {"tied", tie_words(remains.crash.by)}}},
              {"kernel_log", or_null(remains.log_where)},
              {"notes", remains.notes},
              {"written", format_rfc3339(realtime_now())}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

// An explanation is large and not a verdict: a full disk must not keep the verdict from being
// written.
Result<> save_evidence(const UnfinishedRun& run, const Remains& remains) {
  const std::string folder = run.directory + "/postmortem";
  if (auto made = make_directories(folder); !made) return made;
  Result<> first;
  const auto save = [&](const char* name, std::string_view text) {
    if (auto saved = write_file_atomically(folder + "/" + name, text); !saved && first)
      first = saved;
  };
  if (!remains.log.empty()) {
    const std::size_t from = remains.log.size() > kMostOfLog ? remains.log.size() - kMostOfLog : 0;
    save("kernel-log.txt", std::string_view(remains.log).substr(from));
  }
  if (const Explanation* told = best_explanation(remains)) {
    save("explanation.json", render_json(*told));
    save("explanation.txt", render_text(*told));
    save("graph.svg", render_svg(*told));
  }
  save("postmortem.json", facts_json(run, remains));
  return first;
}

// By link(2): whoever comes second is refused, whatever has happened in between.
Result<> save_verdict(const UnfinishedRun& run, const Verdict& verdict) {
  const std::string path = run.directory + "/verdict.json";
  const std::string whole = run.directory + fmt::format("/.verdict.{}", ::getpid());
  if (auto written = write_file_atomically(whole, verdict_json(verdict)); !written) return written;
  const int linked = ::link(whole.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(whole.c_str());
  if (linked == EEXIST) return fail(path + ": is there already: nothing was overwritten");
  if (linked != 0) return fail_errno("write " + path, linked);
  return {};
}

}  // namespace

Result<ClosedRun> close_run(const UnfinishedRun& run, const std::string& root) {
  ClosedRun closed{.run = run, .remains = look_at_remains(run, root), .verdict = {}};
  closed.verdict = verdict_after_death(run, closed.remains);
  if (auto saved = save_evidence(run, closed.remains); !saved)
    closed.remains.notes.push_back(saved.error().what);
  if (auto saved = save_verdict(run, closed.verdict); !saved) return Failure(saved.error());
  return closed;
}

}  // namespace stallproof
