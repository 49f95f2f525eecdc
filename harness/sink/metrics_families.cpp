// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_families.h"

#include "harness/base/version.h"
#include "harness/sink/metrics_of_loads.h"
#include "harness/sink/metrics_of_observer.h"
#include "harness/sink/metrics_of_stalls.h"

namespace stallproof {
namespace {

void add_run(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  const RunNews& news = picture.news;
  const auto build = news.labels.find("build");
  MetricFamily& info = list.add(MetricType::gauge, "stallproof_run_info",
                                "The run that this process serves, always 1.");
  put(info, 1,
      {{"run", label_value(news.run)},
       {"command", label_value(news.command)},
       {"node", label_value(news.node)},
       {"kernel", label_value(news.kernel)},
       {"build", build == news.labels.end() ? "" : label_value(build->second)},
       {"version", std::string(tool_version())}});
  put(list.add(MetricType::gauge, "stallproof_run_start_timestamp_seconds",
               "Start of the run, Unix time."),
      unix_time(news.started_ns, now));
  if (news.duration_ms)
    put(list.add(MetricType::gauge, "stallproof_run_planned_seconds", "Planned length of the run."),
        *news.duration_ms / 1e3);
}

void add_verdict(const RunPicture& picture, FamilyList& list) {
  put(list.add(MetricType::gauge, "stallproof_run_active",
               "1 from the start of the run until its verdict."),
      picture.active ? 1 : 0);
  MetricFamily& verdict = list.add(MetricType::gauge, "stallproof_run_verdict",
                                   "1 for the verdict that was given, 0 for all before the end.");
  for (const char* word : {"pass", "fail", "unknown"})
    put(verdict, picture.end && picture.end->verdict == word ? 1 : 0, {{"verdict", word}});
}

}  // namespace

MetricFamilies run_metrics(const RunPicture& picture, const MetricsMoment& now) {
  FamilyList list;
  if (picture.news.started_ns != 0) {
    add_run(picture, now, list);
    add_load_metrics(picture, now, list);
    add_stall_metrics(picture, now, list);
    add_observer_metrics(picture, now, list);
  }
  add_verdict(picture, list);
  return list.take();
}

}  // namespace stallproof
