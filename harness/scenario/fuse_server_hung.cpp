// SPDX-License-Identifier: Apache-2.0
// The service of a FUSE mount hangs: stopped, or it takes requests and answers none. Whoever reads
// waits for it, direct reads in state S (request_wait_answer), page faults in D for the page; no
// lock of the kernel is part of it.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"stopped", "SIGSTOP of the service: requests are no longer taken"},
    Named{"silent", "the service takes requests and answers none"},
    Named{"one-lost", "the service takes one request and never answers it, but all the others"},
    Named{"naps", "the service is stopped and continued, each for 300 ms: shorter than a stall",
          true}};
constexpr std::array kParams{
    kShortWarmup, ScenarioParameter{"fault-threads", "4", "threads that fault on the mapped file"},
    ScenarioParameter{"direct-threads", "4", "threads that do direct reads"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 4);
  if (!lab) return lab;
  const auto faulters = read_threads(request.params, "fault-threads", 0);
  const auto readers = read_threads(request.params, "direct-threads", 0);
  if (!faulters) return Failure(faulters.error());
  if (!readers) return Failure(readers.error());
  add_load(*lab, "mapped-fault", *faulters);
  add_load(*lab, "direct-read", *readers);
  if (request.variant == "stopped") lab->arming = Arming::stop_service;
  if (request.variant == "naps") lab->arming = Arming::nap_service;
  if (request.variant == "silent") lab->behaviour = Behaviour::silent;
  if (request.variant == "one-lost") {
    lab->behaviour = Behaviour::hold_one;
    lab->loads.clear();
    add_load(*lab, "direct-read", *readers);  // nobody waits for the page of another
  }
  if (lab->loads.empty()) return fail("direct-threads: without any thread there is no load");
  lab->expected_class = request.variant == "naps" ? "none" : "fs_server_stuck";
  if (request.variant == "stopped")
    lab->usual_signatures = {"fs_server_stuck:request>service_stopped"};
  // What its threads do meanwhile is their own affair.
  if (request.variant == "silent" || request.variant == "one-lost")
    lab->usual_signatures = {"fs_server_stuck:request>service_waiting",
                             "fs_server_stuck:request>service_idle",
                             "fs_server_stuck:request>service_blocked"};
  return lab;
}

}  // namespace

extern const Scenario kFuseServerHung;
const Scenario kFuseServerHung{.id = "fuse-server-hung",
                               .summary = "the FUSE service no longer answers",
                               .where = "host",
                               .expected_class = "fs_server_stuck",
                               .variants = kVariants,
                               .fixes = {},
                               .params = kParams,
                               .plan = plan};

}  // namespace stallproof
