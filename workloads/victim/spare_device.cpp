// SPDX-License-Identifier: Apache-2.0
#include "workloads/victim/spare_device.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>

#include "harness/base/file.h"
#include "workloads/injector/dm_device.h"

namespace stallproof {
namespace {

constexpr unsigned kLoopMajor = 7;
constexpr unsigned kNbdMajor = 43;

std::string text_of(const std::string& path) { return read_file(path, 4096).value_or(""); }

// The parent in /proc/PID/status, 0 when there is none such.
std::int64_t parent_of(const std::string& pid) {
  const std::string status = text_of("/proc/" + pid + "/status");
  constexpr std::string_view kKey = "\nPPid:\t";
  const std::size_t at = status.find(kKey);
  std::int64_t parent = 0;
  if (at != std::string::npos)
    std::from_chars(status.data() + at + kKey.size(), status.data() + status.size(), parent);
  return parent;
}

bool connected_beside_us(const std::string& directory) {
  const std::string pid = text_of(directory + "/pid");
  return !pid.empty() && parent_of(pid.substr(0, pid.find('\n'))) == ::getppid();
}

}  // namespace

bool is_spare_device(const std::string& path, const std::string& sys) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISBLK(info.st_mode)) return false;
  if (major(info.st_rdev) == kLoopMajor) return true;
  const std::string directory =
      fmt::format("{}/dev/block/{}:{}", sys, major(info.st_rdev), minor(info.st_rdev));
  if (major(info.st_rdev) == kNbdMajor) return connected_beside_us(directory);
  return text_of(directory + "/dm/name").starts_with(kDmPrefix);
}

}  // namespace stallproof
