// SPDX-License-Identifier: Apache-2.0
#include "harness/base/result_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <optional>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr Nanos kReaderWithin = 30 * kSecond;
constexpr Nanos kBetweenLooks = 20 * kMillisecond;
constexpr int kMostLinks = 40;  // as Linux follows (path_resolution(7))

enum class Place { absent, regular, stream, directory, block_device, socket };

Place place_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Place::absent;
  if (S_ISDIR(info.st_mode)) return Place::directory;
  if (S_ISBLK(info.st_mode)) return Place::block_device;
  if (S_ISSOCK(info.st_mode)) return Place::socket;
  // One without a name is reached by its descriptor only (/dev/fd/5).
  return S_ISREG(info.st_mode) && info.st_nlink > 0 ? Place::regular : Place::stream;
}

Result<> refuse_place(const std::string& path, Place place) {
  if (place == Place::directory) return fail_errno(path, EISDIR, "give a file");
  if (place == Place::block_device)
    return fail(path + ": a block device: what it holds would be lost (give a file)");
  if (place == Place::socket) return fail(path + ": a socket (give a file)");
  return {};
}

Result<> write_all(int file, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(file, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      pollfd ready{file, POLLOUT, 0};
      if (::poll(&ready, 1, static_cast<int>(kReaderWithin / kMillisecond)) != 0) continue;
      return fail_errno("write " + path, ETIMEDOUT, "its reader takes nothing");
    }
    if (n < 0) return fail_errno("write " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

bool is_pipe(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
}

// A pipe's reader may come a moment later.
Result<Fd> open_stream(const std::string& path) {
  const Deadline deadline = Deadline::in(kReaderWithin);
  for (;;) {
    Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (file.valid()) return file;
    const int error = errno;
    if (error != ENXIO || !is_pipe(path)) return fail_errno("open " + path, error);
    if (deadline.passed()) return fail_errno("open " + path, error, "a pipe that nobody reads");
    const timespec pause{0, static_cast<long>(kBetweenLooks)};
    ::nanosleep(&pause, nullptr);
  }
}

Result<> write_through(const std::string& path, std::string_view content) {
  const auto file = open_stream(path);
  return file ? write_all(file->get(), path, content) : Result<>(Failure(file.error()));
}

// What /dev/stdout is: a file that would be replaced under whoever collects our output.
std::optional<int> own_output(const std::string& path) {
  struct stat named {
  }, own{};
  if (::stat(path.c_str(), &named) != 0) return std::nullopt;
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
    if (::fstat(fd, &own) == 0 && own.st_dev == named.st_dev && own.st_ino == named.st_ino)
      return fd;
  return std::nullopt;
}

}  // namespace

Result<std::string> file_behind_links(const std::string& path) {
  std::string at = path;
  for (int link = 0; link < kMostLinks; ++link) {
    char target[PATH_MAX];
    const ssize_t size = ::readlink(at.c_str(), target, sizeof target);
    if (size < 0) return at;
    const std::string next(target, static_cast<std::size_t>(size));
    const auto slash = at.rfind('/');
    at =
        next.starts_with('/') || slash == std::string::npos ? next : at.substr(0, slash + 1) + next;
  }
  return fail_errno(path, ELOOP);
}

Result<> check_result_file(const std::string& path) {
  if (own_output(path)) return {};
  if (auto usable = refuse_place(path, place_of(path)); !usable) return usable;
  const auto file = file_behind_links(path);
  return file ? Result<>{} : Result<>(Failure(file.error()));
}

Result<> check_replaced_file(const std::string& path) {
  if (own_output(path) || place_of(path) == Place::stream)
    return fail(path +
                ": a pipe, a device or our own output, which cannot be replaced (give a file)");
  return check_result_file(path);
}

Result<> replace_file(const std::string& path, std::string_view content) {
  if (const auto fd = own_output(path)) return write_all(*fd, path, content);
  const Place place = place_of(path);
  if (auto usable = refuse_place(path, place); !usable) return usable;
  if (place == Place::stream) return write_through(path, content);
  const auto file = file_behind_links(path);
  return file ? write_file_atomically(*file, content) : Result<>(Failure(file.error()));
}

Result<> append_to_file(const std::string& path, std::string_view content) {
  if (place_of(path) != Place::regular || own_output(path)) return replace_file(path, content);
  auto before = read_file(path);
  if (!before) return Failure(before.error());
  if (!before->empty() && before->back() != '\n') *before += '\n';
  *before += content;
  return replace_file(path, *before);
}

}  // namespace stallproof
