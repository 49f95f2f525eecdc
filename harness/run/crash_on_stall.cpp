// SPDX-License-Identifier: Apache-2.0
#include "harness/run/crash_on_stall.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"
#include "harness/capture/crash_means.h"
#include "harness/run/run_manifest.h"

namespace stallproof {
namespace {

constexpr Nanos kSyncWithin = 10 * kSecond;
constexpr int kEmergency = 0;  // shown on every console, whatever its level

// Only the file system that the run's files are on: another one may be what is stuck.
int sync_place(const std::string& path) {
  const auto work = [&path] {
    const Fd place(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!place.valid()) return errno;
    return ::syncfs(place.get()) == 0 ? 0 : errno;
  };
  return run_bounded(work, Deadline::in(kSyncWithin));
}

}  // namespace

Result<> check_policy(const StallPolicy& policy, const std::string& out) {
  if (policy.on_stall != OnStall::panic) {
    if (policy.allow_crash) return fail("--allow-crash: only --on-stall panic crashes a machine");
    return {};
  }
  if (!policy.allow_crash)
    return fail(
        "--on-stall panic: crashes this machine at the first failing stall: say so by "
        "--allow-crash");
  const CrashLack lack =
      lacking_for_crash(look_at_crash_means(out.empty() ? state_directory() : out));
  if (lack.what.empty()) return {};
  return fail("--on-stall panic: " + lack.what, lack.user_can_mend ? Origin::user : Origin::infra);
}

std::string crash_on_stall(const CrashRequest& request) {
  RunDir& run = request.run;
  ManifestFacts facts = manifest_of(run, OnStall::panic, RunStage::crashing);
  facts.incident = &request.incident;
  request.book.save_all(request.started_ns);
  const double at = static_cast<double>(monotonic_now() - request.started_ns) / 1e6;
  run.append_event(nlohmann::ordered_json{
      {"t_ms", at}, {"event", "crash_asked"}, {"incident", request.incident.id()}}
                       .dump());
  run.save("manifest.json", manifest_json(facts));
  if (!run.first_problem().empty())
    return "the run's files could not be kept: " + run.first_problem();
  if (const int error = sync_place(run.path()); error != 0)
    return fmt::format("{}: not on disk: {}", run.path(), std::strerror(error));
  const std::string line = fmt::format(
      "{}: panic into kdump, asked for by --on-stall panic --allow-crash; evidence in "
      "{}",
      manifest_line(facts), run.path());
  if (auto marked = mark_kernel_log(kEmergency, line); !marked)
    return "the kernel log could not be marked: " + marked.error().what;
  return crash_this_machine().what;
}

}  // namespace stallproof
