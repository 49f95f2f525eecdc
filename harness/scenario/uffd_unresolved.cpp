// SPDX-License-Identifier: Apache-2.0
// Page faults that user space must answer and does not: who touches the memory sleeps in
// handle_userfault, interruptibly and without a lock; who has the kernel read it is in D.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"unresolved", "the thread that answers the faults of a userfaultfd answers no more"},
    Named{"resolved-late", "it answers again after 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{"threads", "5", "one answers, one reads through the kernel, the rest touch"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 3);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.service = false;
  lab.arming = Arming::load_itself;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "fault_unresolved";
  lab.usual_signatures = {"fault_unresolved:fault>userfaultfd"};
  lab.expected_root = "uffd-touch/*";  // who is stuck: the kernel does not know who should answer
  lab.loads.push_back({"uffd-touch", *threads});
  if (request.variant == "resolved-late") lab.worker.set("uffd-lasts", kBriefly);
  return lab;
}

}  // namespace

extern const Scenario kUffdUnresolved;
const Scenario kUffdUnresolved{.id = "uffd-unresolved",
                               .summary = "page faults that a userfaultfd's owner does not answer",
                               .where = "host",
                               .expected_class = "fault_unresolved",
                               .variants = kVariants,
                               .fixes = {},
                               .params = kParams,
                               .plan = plan};

}  // namespace stallproof
