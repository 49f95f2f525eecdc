// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/worker_cgroup.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/cgroup.h"
#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr Nanos kRemoveWithin = kSecond;

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string without_last(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

Result<WorkerCgroup> WorkerCgroup::make(const Settings& settings, const CgroupNeed& need) {
  const auto wanted = settings.choice("hierarchy", "auto", {"auto", "v1", "v2"});
  if (!wanted) return Failure{wanted.error()};
  const std::string v1 = settings.text(std::string("cgroup-") + need.controller, "");
  const std::string v2 = settings.text("cgroup-unified", "");
  WorkerCgroup group;
  group.unified_ = *wanted == "v2" || (*wanted == "auto" && v1.empty());
  group.path_ = group.unified_ ? v2 : v1;
  if (group.path_.empty())
    return fail(fmt::format("no cgroup hierarchy with the {} controller is mounted (hierarchy={})",
                            need.controller, *wanted),
                Origin::lacking);
  if (auto made = make_cgroup(group.path_); !made) return Failure{made.error()};
  if (is_there(group.path_ + "/" + (group.unified_ ? need.v2_file : need.v1_file))) return group;
  [[maybe_unused]] const auto removed = group.remove();
  const std::string parent = without_last(group.path_);
  return fail(fmt::format("{}: cgroups there have no {} controller{}", parent, need.controller,
                          group.unified_ ? " (enable it in its cgroup.subtree_control)" : ""),
              Origin::lacking);
}

Result<> WorkerCgroup::set(const std::vector<std::pair<std::string, std::string>>& values) const {
  for (const auto& [file, text] : values)
    if (auto written = write_control_file(path_ + "/" + file, text); !written)
      return fail(fmt::format("{} (value {})", written.error().what, text), Origin::infra);
  return {};
}

Result<> WorkerCgroup::take(pid_t worker) const {
  if (worker <= 0) return fail("there is no worker process to be moved", Origin::infra);
  return move_to_cgroup(path_, worker);
}

Result<> WorkerCgroup::lift() const {
  return path_.empty() ? Result<>{} : lift_cgroup_limits(path_);
}

Result<> WorkerCgroup::remove() {
  if (path_.empty()) return {};
  auto removed = remove_cgroup(path_, Deadline::in(kRemoveWithin));
  if (removed) path_.clear();
  return removed;
}

}  // namespace stallproof
