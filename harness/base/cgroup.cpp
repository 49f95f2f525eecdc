// SPDX-License-Identifier: Apache-2.0
#include "harness/base/cgroup.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <sstream>

#include "harness/base/file.h"

namespace stallproof {
namespace {

// What is written where to end a limit. `by_device`: once for each device that has one.
struct Limit {
  const char* file;
  const char* lifted;
  bool by_device;
};
constexpr std::array kLimits{
    Limit{"freezer.state", "THAWED", false},
    Limit{"cgroup.freeze", "0", false},
    Limit{"cpu.cfs_quota_us", "-1", false},
    Limit{"cpu.max", "max", false},
    Limit{"blkio.throttle.read_bps_device", "0", true},
    Limit{"blkio.throttle.write_bps_device", "0", true},
    Limit{"blkio.throttle.read_iops_device", "0", true},
    Limit{"blkio.throttle.write_iops_device", "0", true},
    Limit{"io.max", "rbps=max wbps=max riops=max wiops=max", true},
};

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// "7:0 4096" in each line.
std::vector<std::string> limited_devices(const std::string& file) {
  std::vector<std::string> devices;
  const auto text = read_file(file);
  if (!text) return devices;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);)
    if (const auto end = line.find(' '); end != std::string::npos && end != 0)
      devices.push_back(line.substr(0, end));
  return devices;
}

Result<> lift(const std::string& path, const Limit& limit) {
  const std::string file = path + "/" + limit.file;
  if (!is_there(file)) return {};
  if (!limit.by_device) return write_control_file(file, limit.lifted);
  Result<> all;
  for (const std::string& device : limited_devices(file))
    if (auto written = write_control_file(file, fmt::format("{} {}", device, limit.lifted));
        !written)
      all = written;
  return all;
}

}  // namespace

std::string cgroup_name(const std::string& run) { return "stallproof-" + run; }

Result<> make_cgroup(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  return fail_errno("make cgroup " + path, errno, {}, Origin::lacking);
}

Result<> move_to_cgroup(const std::string& path, pid_t pid) {
  return write_control_file(path + "/cgroup.procs", std::to_string(pid));
}

Result<std::vector<pid_t>> cgroup_processes(const std::string& path) {
  const auto text = read_file(path + "/cgroup.procs");
  if (!text) return Failure(text.error());
  std::vector<pid_t> pids;
  std::istringstream words(*text);
  for (pid_t pid = 0; words >> pid;) pids.push_back(pid);
  return pids;
}

Result<> lift_cgroup_limits(const std::string& path) {
  Result<> all;
  for (const Limit& limit : kLimits)
    if (auto lifted = lift(path, limit); !lifted && is_there(path)) all = lifted;
  return all;
}

Result<> remove_cgroup(const std::string& path, Deadline deadline) {
  const std::string parent = path.substr(0, path.rfind('/'));
  for (;;) {
    if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
    const int error = errno;
    if (error != EBUSY || deadline.passed())
      return fail_errno("remove cgroup " + path, error, {}, Origin::infra);
    const auto pids = cgroup_processes(path);
    // One that has ended meanwhile is what was wanted.
    if (pids)
      for (const pid_t pid : *pids)
        [[maybe_unused]] const auto ignored = move_to_cgroup(parent, pid);
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace stallproof
