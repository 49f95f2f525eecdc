// SPDX-License-Identifier: Apache-2.0
#include "harness/board/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace stallproof {

Result<Fd> create_shared_memory(std::string_view name, std::size_t size) {
  const std::string label = "stallproof-" + std::string(name);
  Fd fd(static_cast<int>(
      ::syscall(SYS_memfd_create, label.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING)));
  const bool sealable = fd.valid();
  if (!sealable) {
    std::string path = "/dev/shm/" + label + "-XXXXXX";
    fd = Fd(::mkostemp(path.data(), O_CLOEXEC));
    if (!fd.valid())
      return fail_errno(label + ": create shared memory", errno,
                        "is /dev/shm mounted and writable?");
    ::unlink(path.c_str());
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    return fail_errno(label + ": size shared memory", errno, "free memory");
  // A full /dev/shm shows now, and not as SIGBUS at the first touch. (Before 3.5 tmpfs cannot say.)
  if (!sealable && ::fallocate(fd.get(), 0, 0, static_cast<off_t>(size)) != 0 &&
      errno != EOPNOTSUPP)
    return fail_errno(label + ": room in /dev/shm", errno,
                      fmt::format("free {} KiB there", size / 1024));
  if (sealable && ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail_errno(label + ": seal shared memory", errno);
  return fd;
}

Result<Fd> share_text(const std::string& text) {
  auto memory = create_shared_memory("job", text.size());
  if (!memory) return memory;
  if (::pwrite(memory->get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return fail_errno("shared memory of a job", errno, "", Origin::infra);
  return memory;
}

Result<std::string> text_of_memory(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_errno("shared memory of a job", errno, "", Origin::infra);
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  if (::pread(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return fail_errno("shared memory of a job", errno, "", Origin::infra);
  return text;
}

}  // namespace stallproof
