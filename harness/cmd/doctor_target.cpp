// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"
#include "harness/cmd/doctor_checks.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {
namespace {

constexpr Nanos kLookDeadline = 2 * kSecond;

// In a child: makes an unnamed file and tries it. 0 or an errno.
int try_unnamed_file(const std::string& directory, int flags, bool map_it) {
  const Fd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | flags, 0600));
  if (!file.valid()) return errno;
  if (!map_it) return 0;
  if (::ftruncate(file.get(), 4096) != 0) return errno;
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return page == MAP_FAILED ? errno : 0;
}

DoctorRow try_row(const std::string& name, const std::string& cost,
                  const std::function<int()>& work) {
  const int failed = run_bounded(work, Deadline::in(kLookDeadline));
  return {name, failed == 0 ? Ability::there : Ability::lacking,
          failed == 0 ? "works" : std::strerror(failed), failed == 0 ? "" : cost, false};
}

}  // namespace

std::vector<DoctorRow> check_target(const std::string& directory) {
  std::vector<DoctorRow> rows;
  const auto mounts = read_mountinfo();
  const MountEntry* mount = mounts ? mount_of(*mounts, directory) : nullptr;
  rows.push_back({"target", mount != nullptr ? Ability::there : Ability::lacking,
                  mount != nullptr
                      ? fmt::format("{} ({} on {})", directory, mount->fstype, mount->source)
                      : "no mount found for " + directory,
                  "", false});
  const auto look = [&directory] {
    struct stat info {};
    return ::stat(directory.c_str(), &info) == 0 ? (S_ISDIR(info.st_mode) ? 0 : ENOTDIR) : errno;
  };
  rows.push_back(try_row("target answers", "nothing can be run there", look));
  if (rows.back().ability != Ability::there) return rows;
  rows.push_back(try_row("O_DIRECT there", "direct I/O is not possible there",
                         [&directory] { return try_unnamed_file(directory, O_DIRECT, false); }));
  rows.push_back(try_row("shared mapping there", "mapped faults are not possible there",
                         [&directory] { return try_unnamed_file(directory, 0, true); }));
  return rows;
}

}  // namespace stallproof
