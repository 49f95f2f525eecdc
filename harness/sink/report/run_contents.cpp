// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/run_contents.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/sink/report/load_files.h"

namespace stallproof {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::vector<EvidenceFile> files_below(const std::string& folder) {
  std::vector<EvidenceFile> files;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end;
       !error && entry != end && files.size() < 200; entry.increment(error)) {
    std::error_code no_size;
    if (!entry->is_regular_file(no_size)) continue;
    const auto bytes = entry->file_size(no_size);
    files.push_back({entry->path().lexically_relative(folder).generic_string(),
                     no_size ? 0 : static_cast<std::uint64_t>(bytes)});
  }
  std::sort(files.begin(), files.end(),
            [](const EvidenceFile& a, const EvidenceFile& b) { return a.name < b.name; });
  return files;
}

// What was taken of the incident was taken one after the other, from its detection on.
void add_capture_window(const std::string& folder, double detected_ms, RunContents& contents) {
  const auto text = read_file(folder + "/sources.json", 8U << 20U);
  if (!text) return;
  const auto sources = nlohmann::json::parse(*text, nullptr, false);
  if (!sources.is_array()) return;
  double took = 0;
  std::size_t count = 0;
  for (const auto& source : sources) {
    if (!source.is_object()) continue;
    const auto ms = source.find("took_ms");
    if (ms != source.end() && ms->is_number()) took += std::max(0.0, ms->get<double>());
    ++count;
  }
  if (count > 0 && std::isfinite(took))
    contents.windows.push_back(
        {detected_ms, detected_ms + took, "capture",
         fmt::format("{} file{} taken in {:.0f} ms", count, count == 1 ? "" : "s", took)});
}

void add_incident(const StoredIncident& stored, RunContents& contents) {
  ReportIncident incident;
  incident.stored = stored;
  if (contents.run.verdict)
    for (const StallEntry& entry : contents.run.verdict->stalls)
      if (entry.id == stored.id) incident.entry = entry;
  const std::string folder = contents.run.directory + "/incidents/" + stored.id;
  incident.files = files_below(folder);
  if (!stored.explanation)
    contents.problems.push_back(fmt::format("incident {}: it has no explanation", stored.id));
  incident.around = read_around(
      fmt::format("{}/series/around-{}.csv", contents.run.directory, stored.id), contents.problems);
  const double detected =
      incident.entry ? incident.entry->detected_ms : incident.stored.detected_ms;
  add_capture_window(folder, detected, contents);
  contents.incidents.push_back(std::move(incident));
}

// An incident that the verdict names and no folder holds.
void add_lost_incidents(RunContents& contents) {
  if (!contents.run.verdict) return;
  for (const StallEntry& entry : contents.run.verdict->stalls) {
    const auto same = [&entry](const ReportIncident& each) { return each.stored.id == entry.id; };
    if (std::any_of(contents.incidents.begin(), contents.incidents.end(), same)) continue;
    ReportIncident incident;
    incident.stored.id = entry.id;
    incident.stored.stall_class = entry.stall_class;
    incident.stored.signature = entry.signature;
    incident.entry = entry;
    contents.incidents.push_back(std::move(incident));
    contents.problems.push_back(
        fmt::format("incident {}: the verdict names it, its folder is missing", entry.id));
  }
}

void find_span(RunContents& contents) {
  double end = contents.run.verdict ? contents.run.verdict->duration_s : 0;
  for (const LoadSeries& load : contents.loads)
    if (!load.points.empty()) end = std::max(end, static_cast<double>(load.points.back().t_s));
  contents.span_s = end > 0 ? end : 1;
}

// A reproduction arms its stall once; runs that keep windows have told it there.
void add_armed_window(RunContents& contents) {
  if (!contents.run.verdict || !contents.windows.empty()) return;
  const TimingEntry& timings = contents.run.verdict->timings;
  if (timings.armed_ms)
    contents.windows.push_back({*timings.armed_ms,
                                timings.healed_ms.value_or(contents.span_s * 1e3), "injection",
                                "armed: " + contents.run.verdict->scenario});
}

void note_missing(RunContents& contents) {
  const std::string& directory = contents.run.directory;
  if (!exists(directory + "/verdict.json"))
    contents.problems.emplace_back(
        "verdict.json is missing: the run has not ended, or was killed before it was judged");
  for (const char* name : {"env.json", "events.jsonl"})
    if (!exists(directory + "/" + name))
      contents.problems.push_back(fmt::format("{} is missing", name));
  if (contents.loads.empty())
    contents.problems.emplace_back("no series: there is no throughput over time to show");
}

}  // namespace

Result<RunContents> read_contents(const std::string& directory) {
  auto run = read_run(directory, Damage::told);
  if (!run) return Failure(run.error());
  RunContents contents;
  contents.run = std::move(*run);
  contents.problems = contents.run.problems;
  // Beside loads.csv, seconds.csv of a watch is what the kernel counts: no loads.
  if (exists(directory + "/series/loads.csv"))
    read_load_seconds(directory + "/series/loads.csv", contents);
  else
    read_old_seconds(directory + "/series/seconds.csv", contents);
  find_span(contents);
  read_latency_classes(directory + "/series/latency.csv", contents);
  read_windows(directory + "/series/windows.csv", contents);
  add_armed_window(contents);
  for (const StoredIncident& stored : contents.run.incidents) add_incident(stored, contents);
  add_lost_incidents(contents);
  note_missing(contents);
  return contents;
}

}  // namespace stallproof
