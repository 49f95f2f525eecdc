// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"
#include "harness/cmd/doctor_checks.h"
#include "harness/probe/fs_modules.h"
#include "harness/probe/fuse_server.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {
namespace {

constexpr Nanos kLookDeadline = 2 * kSecond;
constexpr int kNoFile = 255;  // no errno: the try itself was not possible

// In a child. A file without a name, or, where the file system cannot make one (NFS, many FUSE file
// systems: EOPNOTSUPP, EISDIR or EINVAL), one whose name is gone at once. errno when not valid.
Fd open_scratch(const std::string& directory) {
  Fd unnamed(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (unnamed.valid() || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
    return unnamed;
  const std::string path = fmt::format("{}/.stallproof-doctor-{}", directory, ::getpid());
  Fd named(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const int error = errno;
  if (named.valid()) ::unlink(path.c_str());
  errno = error;
  return named;
}

int try_direct(const std::string& directory) {
  const Fd file = open_scratch(directory);
  if (!file.valid()) return kNoFile;
  // Refused as open(2) refuses it, but never after the file was made (fs/fcntl.c setfl, 6.18).
  return ::fcntl(file.get(), F_SETFL, O_DIRECT) == 0 ? 0 : errno;
}

int try_mapping(const std::string& directory) {
  const Fd file = open_scratch(directory);
  if (!file.valid()) return kNoFile;
  if (::ftruncate(file.get(), 4096) != 0) return errno;
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return page == MAP_FAILED ? errno : 0;
}

std::string reason(int error) {
  return error == ETIMEDOUT ? "no answer within 2 s" : std::strerror(error);
}

DoctorRow row_of(const std::string& name, const std::string& cost, int failed) {
  if (failed == kNoFile)
    return {name, Ability::not_tested, "not tested: no second file can be made there", "", false};
  return {name, failed == 0 ? Ability::there : Ability::lacking,
          failed == 0 ? "works" : reason(failed), failed == 0 ? "" : cost, false};
}

DoctorRow mount_row(const std::string& directory) {
  const auto mounts = read_mounts_bounded();
  if (!mounts) return {"target", Ability::not_tested, mounts.error().what, "", false};
  const MountEntry* mount = mount_of(*mounts, directory);
  if (mount == nullptr)
    return {"target", Ability::lacking, "no mount found for " + directory, "", false};
  return {"target", Ability::there,
          fmt::format("{} ({} on {})", directory, mount->fstype, mount->source), "", false};
}

// Absolute and without dots, by its words only: resolving links would touch the target.
std::string normal_path(const std::string& given) {
  std::error_code error;
  std::string path = std::filesystem::absolute(given, error).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// What serves it: its versions belong into every report of a stall.
std::vector<DoctorRow> served_rows(const std::string& directory) {
  const auto mounts = read_mounts_bounded();
  const MountEntry* mount = mounts ? mount_of(*mounts, directory) : nullptr;
  if (mount == nullptr) return {};
  std::string words;
  for (const FsModule& module : modules_of_fs(mount->fstype, module_sources()))
    words += (words.empty() ? "" : ", ") + module_words(module);
  std::vector<DoctorRow> rows{
      {"module there", words.empty() ? Ability::not_tested : Ability::there,
       words.empty() ? "no module is known to serve " + mount->fstype : words, "", false}};
  if (!is_fuse(*mount) || mount->device_major != 0) return rows;
  const auto server = find_fuse_server(mount->device_minor, kLookDeadline);
  rows.push_back({"server there", server ? Ability::there : Ability::not_tested,
                  server ? fmt::format("{} (pid {}) {}", server->comm, server->pid, server->exe)
                         : "its process is not known: another user's, or several have /dev/fuse "
                           "open",
                  "", false});
  return rows;
}

std::vector<DoctorRow> file_rows(const std::string& directory) {
  const auto bounded = [](const std::function<int()>& work) {
    return run_bounded(work, Deadline::in(kLookDeadline));
  };
  const int unmade = bounded([&directory] { return open_scratch(directory).valid() ? 0 : errno; });
  if (unmade != 0) {
    const std::string why = "not tested: no file can be made there: " + reason(unmade);
    return {{"O_DIRECT there", Ability::not_tested, why, "", false},
            {"shared mapping there", Ability::not_tested, why, "", false}};
  }
  return {row_of("O_DIRECT there", "direct I/O is not possible there",
                 bounded([&directory] { return try_direct(directory); })),
          row_of("shared mapping there", "mapped faults are not possible there",
                 bounded([&directory] { return try_mapping(directory); }))};
}

}  // namespace

Result<std::vector<MountEntry>> read_mounts_bounded() {
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kLookDeadline));
  if (!text) return Failure(text.error());
  return parse_mountinfo(*text);
}

Result<std::vector<DoctorRow>> check_target(const std::string& given) {
  const std::string directory = normal_path(given);
  const auto look = [&directory] {
    struct stat info {};
    return ::stat(directory.c_str(), &info) == 0 ? (S_ISDIR(info.st_mode) ? 0 : ENOTDIR) : errno;
  };
  const int failed = run_bounded(look, Deadline::in(kLookDeadline));
  if (failed == ENOENT || failed == ENOTDIR)
    return fail_errno("doctor: --target " + given, failed, "give an existing directory");
  std::vector<DoctorRow> rows{mount_row(directory)};
  for (DoctorRow& row : served_rows(directory)) rows.push_back(std::move(row));
  rows.push_back(row_of("target answers", "nothing can be run there", failed));
  if (failed != 0) return rows;
  for (DoctorRow& row : file_rows(directory)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace stallproof
