// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/target_look.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "harness/base/bounded.h"
#include "harness/base/units.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr Nanos kAnswerWithin = 5 * kSecond;

// In a child. Returns an errno.
int look(const std::string& directory, Json& seen) {
  char path[PATH_MAX];
  if (::realpath(directory.c_str(), path) == nullptr) return errno;
  struct stat info {};
  if (::stat(path, &info) != 0) return errno;
  if (!S_ISDIR(info.st_mode)) return ENOTDIR;
  struct statvfs space {};
  if (::statvfs(path, &space) != 0) return errno;
  if ((space.f_flag & ST_RDONLY) != 0) return EROFS;
  if (::access(path, W_OK | X_OK) != 0) return errno;
  seen = Json{{"path", path},
              {"major", major(info.st_dev)},
              {"minor", minor(info.st_dev)},
              {"free", space.f_bavail * space.f_frsize}};
  return 0;
}

std::string advice_for(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "give an existing directory";
    case ETIMEDOUT:
      return "its file system does not answer: try stallproof capture";
    case ENOTCONN:
      return "its file system is gone: mount it again";
    default:
      return "give a directory that can be written to";
  }
}

}  // namespace

Result<TargetLook> look_at_target(const std::string& directory) {
  const BoundedText answer = text_bounded(
      [&directory](int into) {
        Json seen;
        if (const int failed = look(directory, seen); failed != 0) return failed;
        const std::string line = seen.dump(-1, ' ', false, Json::error_handler_t::ignore);
        return ::write(into, line.data(), line.size()) == static_cast<ssize_t>(line.size()) ? 0
                                                                                            : EIO;
      },
      Deadline::in(kAnswerWithin));
  if (answer.error != 0)
    return fail_errno("target " + directory, answer.error, advice_for(answer.error),
                      answer.error == ETIMEDOUT ? Origin::infra : Origin::user);
  const Json seen = Json::parse(answer.text, nullptr, false);
  if (seen.is_discarded())
    return fail("target " + directory + ": the look at it was cut", Origin::infra);
  TargetLook target{.path = seen.at("path"),
                    .device_major = seen.at("major"),
                    .device_minor = seen.at("minor"),
                    .free_bytes = seen.at("free"),
                    .fstype = {},
                    .source = {},
                    .facts = {}};
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kSecond));
  const auto mounts = parse_mountinfo(text ? *text : "");
  const MountEntry* const mount = mounts ? mount_of(*mounts, target.path) : nullptr;
  if (mount == nullptr) return target;
  target.fstype = mount->fstype;
  target.source = mount->source;
  const bool fuse = is_fuse(*mount) && mount->device_major == 0;
  target.facts = look_at_target_facts(target.fstype, fuse ? mount->device_minor : 0);
  return target;
}

Result<> refuse_large(const TargetLook& target, std::uint64_t bytes, const std::string& asked) {
  const std::uint64_t most = target.free_bytes / 100 * kLargestShare;
  if (bytes <= most) return {};
  return fail(fmt::format("{} is more than {} % of the {} MiB free on {} (give at most --size {}m)",
                          asked, kLargestShare, target.free_bytes >> 20U, target.path,
                          most >> 20U));
}

}  // namespace stallproof
