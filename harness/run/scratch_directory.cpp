// SPDX-License-Identifier: Apache-2.0
#include "harness/run/scratch_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/bounded.h"
#include "harness/base/directory.h"
#include "harness/base/fd.h"
#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr Nanos kMakeWithin = 10 * kSecond;
constexpr Nanos kRemoveWithin = 15 * kSecond;
constexpr int kOpenFolders = 16;

// Values of their own among the errno of a child.
constexpr int kElsewhere = 254;

constexpr const char* kMarkPrefix = "in-use-by-";

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool may_be_removed(const std::string& path) {
  const auto slash = path.rfind('/');
  return path.starts_with('/') && path.compare(slash + 1, std::string::npos, kScratchPrefix) > 0 &&
         path.find(kScratchPrefix, slash + 1) == slash + 1;
}

int remove_one(const char* path, const struct stat*, int, FTW*) {
  return ::remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

std::string mark_file(const std::string& path, const std::string& mark) {
  return path + "/" + kMarkPrefix + mark;
}

bool others_use(const std::string& path) {
  const std::vector<std::string> names = names_in(path);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.starts_with(kMarkPrefix); });
}

// In a child. Returns an errno, or kElsewhere.
int remove_tree(const ScratchDirectory& scratch) {
  struct stat parent {};
  if (::stat(parent_of(scratch.path).c_str(), &parent) != 0)
    return errno == ENOENT ? kElsewhere : errno;
  if (major(parent.st_dev) != scratch.device_major || minor(parent.st_dev) != scratch.device_minor)
    return kElsewhere;
  if (!scratch.mark.empty()) {
    if (::unlink(mark_file(scratch.path, scratch.mark).c_str()) != 0 && errno != ENOENT)
      return errno;
    if (others_use(scratch.path)) return 0;
  }
  const int failed =
      ::nftw(scratch.path.c_str(), remove_one, kOpenFolders, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  if (failed == 0 || (failed < 0 && errno == ENOENT)) return 0;
  return failed > 0 ? failed : errno;
}

int make_mark(const std::string& path, const std::string& mark) {
  const Fd file(::open(mark_file(path, mark).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return file.valid() ? 0 : errno;
}

int make_tree(const ScratchDirectory& scratch, const std::vector<std::string>& files) {
  const std::string& path = scratch.path;
  const bool shared = !scratch.mark.empty();
  if (::mkdir(path.c_str(), 0700) != 0 && !(shared && errno == EEXIST)) return errno;
  if (shared)
    if (const int failed = make_mark(path, scratch.mark); failed != 0) return failed;
  for (const std::string& file : files) {
    const auto slash = file.rfind('/');
    if (slash == std::string::npos || slash == 0) continue;
    if (!make_directories(path + "/" + file.substr(0, slash))) return EIO;
  }
  return 0;
}

}  // namespace

Result<> make_scratch(const ScratchDirectory& scratch, const std::vector<std::string>& files) {
  const int failed =
      run_bounded([&] { return make_tree(scratch, files); }, Deadline::in(kMakeWithin));
  if (failed == 0) return {};
  return fail_errno(
      "make " + scratch.path, failed,
      failed == ETIMEDOUT ? "its file system does not answer: try stallproof capture" : "",
      failed == ETIMEDOUT ? Origin::infra : Origin::user);
}

ScratchRemoval remove_scratch(const ScratchDirectory& scratch) {
  if (!may_be_removed(scratch.path))
    return {ScratchEnd::out_of_reach, scratch.path + ": not a directory of a run: left alone"};
  const int failed =
      run_bounded([&scratch] { return remove_tree(scratch); }, Deadline::in(kRemoveWithin));
  switch (failed) {
    case 0:
      return {};
    case kElsewhere:
    case ENOTCONN:
      return {ScratchEnd::out_of_reach,
              fmt::format("{}: not removed: its file system is not mounted there any more",
                          scratch.path)};
    case ETIMEDOUT:
      return {ScratchEnd::failed, scratch.path + ": not removed: its file system does not answer"};
    default:
      return {ScratchEnd::failed,
              fmt::format("{}: not removed: {}", scratch.path, std::strerror(failed))};
  }
}

}  // namespace stallproof
