// SPDX-License-Identifier: Apache-2.0
#include "harness/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

// Of a result that could not be written.
const char* other_place(int error) {
  return error == ENOENT ? "make its directory first"
         : error == EACCES || error == EPERM || error == EROFS
             ? "give a place that can be written to"
         : error == ENOSPC || error == EDQUOT ? "free some space"
                                              : "give another place";
}

// 0, or why not.
int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("open " + path, errno);
  std::string content;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read " + path, errno);
    if (n == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(n));
    if (content.size() > limit)
      return fail("read " + path + ": larger than " + std::to_string(limit) + " bytes");
  }
}

Result<> write_file_atomically(const std::string& path, std::string_view content, mode_t mode) {
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd.valid()) return fail_errno("create " + path, errno, other_place(errno));
  int error = write_all(fd.get(), content);
  if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return fail_errno("write " + path, error, other_place(error));
  }
  const Fd directory(::open(parent_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid() && ::fsync(directory.get()) != 0 && errno != EINVAL)
    return fail_errno("fsync directory of " + path, errno);
  return {};
}

Result<> write_control_file(const std::string& path, std::string_view content) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("open " + path, errno);
  const int error = write_all(fd.get(), content);
  return error == 0 ? Result<>{} : Result<>(fail_errno("write " + path, error));
}

Result<> make_directories(const std::string& path) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST)
      return fail_errno("create directory " + part, errno,
                        "give a writable place with -o, or free some space");
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fail_errno("stat " + path, errno);
  if (!S_ISDIR(info.st_mode)) return fail(path + ": is not a directory (give another with -o)");
  return {};
}

}  // namespace stallproof
