// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/run/plan/target_plan.h"
#include "harness/run/plan/toml_words.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kGigabyte = 1'000'000'000;
constexpr std::uint64_t kMostKept = 20;
// Of what is free, so that the nights alone never fill the disk.
constexpr std::uint64_t kShareKept = 4;

constexpr const char* kRest =
    R"(# min_hours = 7.5      # node-hours; fewer are unknown, never a pass
# known = "/etc/stallproof/known.toml"  # stalls that fail nothing until their day
# listen = "9464"      # metrics for Prometheus at http://127.0.0.1:9464/metrics
# on_stall = "sysrq"   # more evidence of a stall; "panic" makes a vmcore, with allow_crash = true
# blocked_for = "60s"  # a task in D for so long before the night: the node is not clean
# In place of [[process]] below one of these; $target in a word is the target:
# vdbench = ["/etc/stallproof/night.parm", "lun=$target/lun1"]
# command = ["/opt/vdbench/vdbench", "-f", "/etc/stallproof/night.parm", "-o", "/var/tmp/vdbench"]

[labels]  # kept in every verdict; `build` is what gate and history group by
# build = "3.2.1-rc4"  # or: stallproof run FILE --label build=3.2.1-rc4

# [notify]
# command = ["/usr/local/bin/tell", "storage"]  # is given each stall and each verdict

)";

}  // namespace

Result<std::string> night_file_text(const std::string& name, const std::vector<TargetLook>& targets,
                                    const std::string& output, std::uint64_t free_bytes) {
  std::vector<std::string> paths;
  std::string about;
  std::uint64_t size = ~std::uint64_t{0};
  for (const TargetLook& target : targets) {
    const auto fitting = target_plan_size(target, {.name = name, .size = std::nullopt});
    if (!fitting) return Failure(fitting.error());
    size = std::min(size, *fitting);
    paths.push_back(target.path);
    about += fmt::format("# For {} ({}, {} MiB free).\n", toml_comment(target.path),
                         toml_comment(target.fstype), target.free_bytes >> 20U);
  }
  const std::uint64_t keep =
      std::clamp<std::uint64_t>(free_bytes / kShareKept / kGigabyte, 1, kMostKept);
  return fmt::format(
             "# A night on this node: what is run, watched, judged and kept.\n"
             "# stallproof run FILE; with --dry-run it says what it would do.\n{}"
             "[nightly]\n"
             "targets = {}  # one after the other, each for:\n"
             "duration = \"8h\"\n"
             "output = {}  # runs, nights, history: not on a target\n"
             "keep_days = 30         # of the runs that nights have made, older ones are removed\n"
             "keep_gb = {}            # and the oldest while they hold more; never the only\n"
             "                       # incident of a signature\n{}"
             "[plan]\n"
             "name = {}\n"
             "size = {}  # the most that the files take on each target; removed after the run\n\n",
             about, toml_names(paths), toml_quoted(output), keep, kRest, toml_quoted(name),
             toml_size(size)) +
         target_plan_body(size);
}

}  // namespace stallproof
