// SPDX-License-Identifier: Apache-2.0
// Every thread that could answer reads the service's own mount before it answers: it waits for a
// request that only it and its like can serve. No lock is part of it.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"same-pool", "what is read needs the threads that read it"},
    Named{"own-pool", "page reads have threads of their own: those that are waited for are free",
          true}};
constexpr std::array kParams{
    kShortWarmup, ScenarioParameter{"service-threads", "2", "threads of the service"},
    ScenarioParameter{"fault-threads", "4", "threads that fault on the mapped file"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto service = read_threads(request.params, "service-threads");
  const auto faulters = read_threads(request.params, "fault-threads");
  if (!service) return Failure(service.error());
  if (!faulters) return Failure(faulters.error());
  auto lab = small_ffs_lab(request.params, *service);
  if (!lab) return lab;
  const bool closes = request.variant == "same-pool";
  lab->loads = {{"mapped-fault", *faulters}};
  lab->ffs.set("page-threads", closes ? "0" : std::to_string(*service));
  lab->behaviour = Behaviour::own_mount;
  lab->expected_class = closes ? "fs_self_wait" : "none";
  if (closes) lab->expected_root = "dataio_srv/*";
  if (closes) lab->usual_signatures = {"fs_self_wait:service_request"};
  return lab;
}

}  // namespace

extern const Scenario kFuseSelfMount;
const Scenario kFuseSelfMount{.id = "fuse-self-mount",
                              .summary = "the service reads its own mount while it must answer",
                              .where = "host",
                              .expected_class = "fs_self_wait",
                              .variants = kVariants,
                              .fixes = {},
                              .params = kParams,
                              .plan = plan};

}  // namespace stallproof
