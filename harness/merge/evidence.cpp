// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr std::size_t kOfOneSignature = 3;
constexpr std::size_t kToldInAll = 24;
constexpr std::size_t kMostOfFile = 2U << 20U;

// The id stands in a path: one that is none of ours may point anywhere.
bool is_incident_id(const std::string& id) {
  return !id.empty() && id.size() <= 32 && std::all_of(id.begin(), id.end(), [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z');
  });
}

template <class Read>
void keep(const Read& read, Merged& merged, const std::string& node) {
  if (!read) merged.notes.push_back({node, read.error().what});
}

StallEvidence evidence_of(Merged& merged, std::size_t place) {
  StallEvidence evidence{.place = place};
  const StallBegin& stall = merged.stalls[place];
  const MergedNode& node = merged.nodes[stall.node];
  const StallEntry& entry = merged.entry_of(stall);
  evidence.incident.id = entry.id;
  if (!is_incident_id(entry.id)) return evidence;
  const std::string folder = evidence_folder(node, entry);
  for (const char* name : {"incident.json", "explanation.json", "explanation.txt"}) {
    const std::string path = folder + "/" + name;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) continue;
    auto text = read_file(path, kMostOfFile);
    keep(text, merged, node.name);
    if (text) evidence.files[name] = std::move(*text);
  }
  if (const auto found = evidence.files.find("incident.json"); found != evidence.files.end()) {
    auto incident = parse_incident(found->second, folder + "/incident.json");
    keep(incident, merged, node.name);
    if (incident)
      evidence.incident = std::move(*incident);
    else
      evidence.files.erase(found);
  }
  if (const auto found = evidence.files.find("explanation.json"); found != evidence.files.end()) {
    auto told = parse_explanation(found->second, folder + "/explanation.json");
    keep(told, merged, node.name);
    if (told)
      evidence.incident.explanation = std::move(*told);
    else
      evidence.files.erase(found);
  }
  if (const auto found = evidence.files.find("explanation.txt"); found != evidence.files.end())
    evidence.incident.explanation_text = found->second;
  return evidence;
}

}  // namespace

std::string evidence_folder(const MergedNode& node, const StallEntry& entry) {
  return entry.id == "vmcore" ? node.result.directory + "/postmortem"
                              : node.result.directory + "/incidents/" + entry.id;
}

std::vector<std::size_t> stalls_to_tell(const Merged& merged) {
  std::map<std::string, std::vector<std::size_t>> by_signature;
  for (std::size_t i = 0; i < merged.stalls.size(); ++i) {
    auto& places = by_signature[merged.entry_of(merged.stalls[i]).signature];
    if (places.size() < kOfOneSignature) places.push_back(i);
  }
  std::set<std::size_t> chosen;
  for (std::size_t round = 0; round < kOfOneSignature; ++round)
    for (const auto& [signature, places] : by_signature)
      if (round < places.size() && chosen.size() < kToldInAll) chosen.insert(places[round]);
  return {chosen.begin(), chosen.end()};
}

std::vector<StallEvidence> read_evidence(Merged& merged) {
  std::vector<StallEvidence> all;
  for (const std::size_t place : stalls_to_tell(merged)) all.push_back(evidence_of(merged, place));
  return all;
}

}  // namespace stallproof
