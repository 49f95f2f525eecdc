// SPDX-License-Identifier: Apache-2.0
// What a reproduction tells a person while it runs.
#include <fmt/format.h>

#include "harness/base/units.h"
#include "harness/explain/render.h"
#include "harness/run/repro_run.h"

namespace stallproof {

void ReproRun::show_explanation(const IncidentRecord& incident) {
  console_.step(incident.explained_ns - state_.clock.monotonic_ns,
                fmt::format("explained {} after detection; evidence in {}",
                            format_duration(incident.explained_ns - incident.detected_ns),
                            run_.file("incidents/" + incident.id())));
  console_.block(fmt::format("\n{}\n", render_text(*incident.explanation)));
  if (!options_.hold) return;
  if (!plan_.service)
    return console_.block(fmt::format(
        "The stall stands until you press Enter or Ctrl-C, at most {}. From another terminal:\n"
        "  stallproof explain --live          explains it from outside\n\n",
        format_duration(end_at_ns_ > monotonic_now() ? end_at_ns_ - monotonic_now() : 0)));
  console_.block(fmt::format(
      "The deadlock stands until you press Enter or Ctrl-C, at most {}. Meanwhile, from another "
      "terminal:\n"
      "  stallproof explain --live          explains it from outside\n"
      "  cat /proc/{}/status                safe: takes no lock of the process\n"
      "  timeout 5 cat /proc/{}/cmdline     hangs, as every `ps aux` on this machine does now\n"
      "  umount -f {}\n"
      "                                     heals it: aborts the FUSE connection\n\n",
      format_duration(end_at_ns_ > monotonic_now() ? end_at_ns_ - monotonic_now() : 0),
      lab_.worker().pid(), lab_.worker().pid(), lab_.target().mount_point));
}

void ReproRun::show_progress(Nanos now) {
  const double elapsed = static_cast<double>(now - state_.clock.monotonic_ns) / 1e9;
  switch (step_) {
    case Step::warming:
      return console_.progress(fmt::format("{:6.1f} s  warming up", elapsed), "warming up");
    case Step::armed:
      return console_.progress(
          fmt::format("{:6.1f} s  armed, hazard entered {} times; ends at {:.0f} s without a stall",
                      elapsed, lab_.board().header().service.hazards.load(),
                      static_cast<double>(end_at_ns_ - state_.clock.monotonic_ns) / 1e9),
          "armed");
    case Step::standing:
      return console_.progress(fmt::format("{:6.1f} s  the deadlock stands", elapsed),
                               "the deadlock stands");
    case Step::over:
      return;
  }
}

}  // namespace stallproof
