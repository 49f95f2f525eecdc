// SPDX-License-Identifier: Apache-2.0
// A disk that does not answer, as loop-on-dead-fuse, under a program that uses io_uring: its
// threads sleep in S, as if idle, and the kernel's own detector of hung tasks sees none of them.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"stopped", "the server of the file under the loop device is stopped (SIGSTOP)"},
    Named{"stopped-briefly", "it is stopped for 300 ms", true}};
constexpr std::array kParams{kWarmupParameter,
                             ScenarioParameter{"threads", "2", "threads with a ring of their own"},
                             ScenarioParameter{"depth", "8", "reads in flight for each of them"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  const auto depth = request.params.count("depth", 0);
  if (!depth) return Failure(depth.error());
  if (*depth < 1 || *depth > 1024) return fail("depth: must be between 1 and 1024");
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "device_stuck";
  // Whether its worker is seen to wait depends on how far it came.
  lab.usual_signatures = {"device_stuck:request>device",
                          "device_stuck:request>device>service_stopped"};
  lab.marks = {"io_cqring_wait"};
  lab.injector = "loop-file";
  lab.injector_words.set("loop-cache", "direct");  // each read reaches the server
  lab.arming = Arming::stop_service;
  lab.loads.push_back({"uring-read", *threads});
  lab.worker.set("uring-depth", std::to_string(*depth));
  lab.ffs.set("writable", "yes");
  if (request.variant == "stopped-briefly") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kIoUringSilent;
const Scenario kIoUringSilent{
    .id = "io-uring-silent",
    .summary = "the same under io_uring: nobody is in D, the threads wait in S",
    .where = "host",
    .expected_class = "device_stuck",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
