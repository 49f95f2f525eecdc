// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/reported_stall.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/cmd/explain_input.h"
#include "harness/cmd/recorded_load.h"
#include "harness/cmd/saved_explanation.h"
#include "harness/explain/explain.h"
#include "harness/explain/explanation_read.h"
#include "harness/explain/vmcore/vmcore_look.h"

namespace stallproof {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// A run's first incident, where the run itself is given.
Result<std::string> incident_directory(std::string directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  if (exists(directory + "/explanation.json") || exists(directory + "/snapshot.json"))
    return directory;
  if (exists(directory + "/incidents/001")) return directory + "/incidents/001";
  return fail(
      fmt::format("{}: neither an incident nor a capture nor a run with an incident", directory));
}

// Absent where the run was no reproduction; a file that cannot be read must not stop another way.
std::optional<RecordedScenario> recorded_beside(const std::string& incident) {
  const auto text = read_file(incident + "/../../plan.toml", 1U << 20U);
  if (!text) return std::nullopt;
  try {
    const toml::table table = toml::parse(*text);
    RecordedScenario recorded;
    recorded.scenario = table["scenario"].value_or(std::string{});
    if (recorded.scenario.empty()) return std::nullopt;
    recorded.request.variant = table["variant"].value_or(std::string{});
    recorded.request.fix = table["fix"].value_or(std::string{});
    if (const toml::table* const params = table["params"].as_table())
      for (const auto& [key, value] : *params)
        recorded.request.params.set(std::string(key.str()), value.value_or(std::string{}));
    return recorded;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

Result<Explanation> explained_text(const std::vector<std::string>& files,
                                   const FsKnowledge& knowledge) {
  const auto explained = explain_files(files, InputKind::unknown, knowledge, "json");
  if (!explained) return Failure(explained.error());
  auto read = read_explanation_json(explained->text);
  if (!read)
    return fail(
        fmt::format("{}: give the files of one stall only ({})", files[0], read.error().what));
  return read;
}

Result<Explanation> explained_dump(const std::string& file, const FsKnowledge& knowledge) {
  const auto look = look_at_vmcore(file, VmcoreView::explanation, {});
  if (!look) return Failure(look.error());
  return explain(look->snapshot, knowledge);
}

Result<ReportedStall> read_directory(const std::string& given, const FsKnowledge& knowledge) {
  const auto directory = incident_directory(given);
  if (!directory) return Failure(directory.error());
  const bool saved = exists(*directory + "/explanation.json");
  auto explanation =
      explained_text({*directory + (saved ? "/explanation.json" : "/snapshot.json")}, knowledge);
  if (!explanation) return Failure(explanation.error());
  // A copy of an incident may lie anywhere: only a run's own plan says what it ran.
  Settings load;
  if (exists(*directory + "/../../run.id"))
    if (const auto plan = read_file(*directory + "/../../plan.toml", 1U << 20U))
      load = recorded_load_words(*plan);
  return ReportedStall{.source = *directory,
                       .explanation = std::move(*explanation),
                       .recorded = recorded_beside(*directory),
                       .load = std::move(load)};
}

Result<ReportedStall> read_any(const std::vector<std::string>& files,
                               const FsKnowledge& knowledge) {
  if (is_directory(files[0])) {
    if (files.size() > 1) return fail("--from: a directory is given alone, without other files");
    return read_directory(files[0], knowledge);
  }
  auto explanation = files.size() == 1 && begins_as_vmcore(files[0])
                         ? explained_dump(files[0], knowledge)
                         : explained_text(files, knowledge);
  if (!explanation) return Failure(explanation.error());
  return ReportedStall{
      .source = files[0], .explanation = std::move(*explanation), .recorded = std::nullopt};
}

}  // namespace

Result<ReportedStall> read_reported_stall(const std::vector<std::string>& files,
                                          const std::vector<std::string>& fs_files) {
  const auto knowledge = load_fs_knowledge(fs_files);
  if (!knowledge) return Failure(knowledge.error());
  auto stall = read_any(files, *knowledge);
  if (!stall) return stall;
  const std::string& name = stall->explanation.stall_class;
  if (name == "none" || name == "unknown")
    return fail(fmt::format("{}: explains no stall that has a name (class {}): nothing to "
                            "reproduce; see stallproof explain",
                            stall->source, name),
                Origin::infra);
  return stall;
}

}  // namespace stallproof
