// SPDX-License-Identifier: Apache-2.0
#include "harness/base/sealed_program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace stallproof {
namespace {

constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, 6.3 and later
constexpr const char* kName = "stallproof-program";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Fd make_memory() {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  Fd memory(static_cast<int>(::syscall(SYS_memfd_create, kName, kFlags | kExecutable)));
  if (memory.valid() || errno != EINVAL) return memory;
  return Fd(static_cast<int>(::syscall(SYS_memfd_create, kName, kFlags)));
}

bool copy_all(const Fd& from, const Fd& to, std::size_t size) {
  for (std::size_t copied = 0; copied < size;) {
    const ssize_t n = ::sendfile(to.get(), from.get(), nullptr, size - copied);
    if (n == 0) errno = EIO;
    if (n <= 0) return false;
    copied += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

Result<Fd> seal_copy_of_program() {
  const Fd program(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!program.valid() || ::fstat(program.get(), &info) != 0)
    return fail_errno("read the program's own file", errno, {}, Origin::infra);
  Fd memory = make_memory();
  if (!memory.valid())
    return fail_errno("memory for a copy of the program", errno, "sysctl vm.memfd_noexec",
                      Origin::lacking);
  if (!copy_all(program, memory, static_cast<std::size_t>(info.st_size)))
    return fail_errno("copy the program into memory", errno, "free memory", Origin::infra);
  if (::fchmod(memory.get(), 0555) != 0 || ::fcntl(memory.get(), F_ADD_SEALS, kSeals) != 0)
    return fail_errno("seal the copy of the program", errno, {}, Origin::infra);
  return memory;
}

bool runs_from_sealed_copy() {
  std::array<char, 64> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  return length > 0 && std::string_view(path.data()).starts_with("/memfd:stallproof-program");
}

}  // namespace stallproof
