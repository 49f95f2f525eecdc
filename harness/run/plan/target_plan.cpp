// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/target_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "harness/run/plan/toml_words.h"

namespace stallproof {
namespace {

// The loads, as data: what runs on anybody's mount is decided here and nowhere else.
struct TargetLoad {
  const char* name;
  const char* workload;
  unsigned threads;
  const char* size_key;    // of its file; null: it has none
  const char* parameters;  // a line of TOML, or nothing
  const char* about;
};
constexpr std::array kLoads{
    TargetLoad{"direct-io", "direct-io", 8, "io-file-size", "  io-read-percent = 70\n",
               "O_DIRECT reads and writes, verified"},
    TargetLoad{"mapped-fault", "mapped-fault", 4, "file-size", "",
               "page faults that the file system must serve"},
    TargetLoad{"thread-churn", "mprotect-storm", 1, nullptr,
               "  profile = \"thread-churn\"\n  birth-rate = 100\n",
               "threads begin and end: writers on mmap_lock"},
    TargetLoad{"jvm", "mprotect-storm", 1, nullptr, "  profile = \"jvm-steady\"\n",
               "what a JVM does to its memory map"},
};

constexpr std::uint64_t kDefaultSize = 1ULL << 30U;
constexpr std::uint64_t kLeastSize = 16ULL << 20U;
constexpr std::uint64_t kMebibyte = 1ULL << 20U;

std::uint64_t files() {
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::count_if(
                                        kLoads.begin(), kLoads.end(), [](const TargetLoad& load) {
                                          return load.size_key != nullptr;
                                        })));
}

std::string load_text(const TargetLoad& load, std::uint64_t file_size) {
  std::string text = fmt::format("\n  [[process.load]]  # {}\n", load.about);
  if (std::string_view(load.name) != load.workload)
    text += fmt::format("  name = {}\n", toml_quoted(load.name));
  text +=
      fmt::format("  workload = {}\n  threads = {}\n", toml_quoted(load.workload), load.threads);
  if (load.size_key != nullptr)
    text += fmt::format("  {} = {}\n", load.size_key, toml_size(file_size));
  return text + load.parameters;
}

}  // namespace

Result<std::uint64_t> target_plan_size(const TargetLook& target, const TargetPlanWish& wish) {
  if (wish.size && *wish.size < kLeastSize)
    return fail(
        fmt::format("--size {}: at least {} MiB are needed", *wish.size, kLeastSize / kMebibyte));
  if (wish.size) {
    if (auto small =
            refuse_large(target, *wish.size, fmt::format("--size {} MiB", *wish.size / kMebibyte));
        !small)
      return Failure(small.error());
    return *wish.size;
  }
  const std::uint64_t fitting = target.free_bytes / 100 * kLargestShare / kMebibyte * kMebibyte;
  const std::uint64_t size = std::min(kDefaultSize, fitting);
  if (size >= kLeastSize) return size;
  return fail(fmt::format(
      "target {}: {} MiB are free, {} are needed: a run takes at most {} % of "
      "them and at least {} MiB (free some space)",
      target.path, target.free_bytes / kMebibyte, kLeastSize * 100 / kLargestShare / kMebibyte,
      kLargestShare, kLeastSize / kMebibyte));
}

std::string target_plan_body(std::uint64_t size) {
  std::string text =
      "[thresholds]\nstall_after = \"1s\"  # no completion for this long is a stall\n"
      "fail_after = \"30s\"  # one this long fails the run; one that can never end at once\n"
      "# max_dropouts = 0  # uncomment: dropouts of throughput fail the run too\n"
      "\n# One process has one memory map: the reported stall needs these loads in the same one.\n"
      "[[process]]\nname = \"client\"\n";
  const std::uint64_t each = size / files() / kMebibyte * kMebibyte;
  for (const TargetLoad& load : kLoads) text += load_text(load, each);
  return text;
}

Result<std::string> target_plan_text(const TargetLook& target, const TargetPlanWish& wish) {
  const auto size = target_plan_size(target, wish);
  if (!size) return Failure(size.error());
  return fmt::format(
             "# For {} ({}, {} MiB free) on {} CPUs.\n"
             "# stallproof run FILE; with --dry-run it is printed with every default written out.\n"
             "[plan]\nname = {}\nduration = {}  # a night: \"8h\"\ntarget = {}\n"
             "size = {}  # the most that the files take; they are removed after the run\n\n",
             toml_comment(target.path), toml_comment(target.fstype), target.free_bytes / kMebibyte,
             ::sysconf(_SC_NPROCESSORS_ONLN), toml_quoted(wish.name), toml_duration(wish.duration),
             toml_quoted(target.path), toml_size(*size)) +
         target_plan_body(*size);
}

Result<LoadPlan> plan_for_target(const TargetLook& target, const TargetPlanWish& wish) {
  const auto text = target_plan_text(target, wish);
  if (!text) return Failure(text.error());
  return parse_plan(*text, "plan of " + target.path);
}

}  // namespace stallproof
