// SPDX-License-Identifier: Apache-2.0
#include "workloads/victim/uffd_region.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stallproof {
namespace {

// 5.11; in no header of Debian 12 by this name where only old ones are installed.
constexpr int kUserModeOnly = 1;

// Faults of user mode alone are what everybody may serve; reads by the kernel need privilege.
Fd open_uffd() {
  constexpr int kFlags = O_CLOEXEC | O_NONBLOCK;
  Fd uffd(static_cast<int>(::syscall(SYS_userfaultfd, kFlags)));
  if (!uffd.valid() && errno == EPERM)
    uffd = Fd(static_cast<int>(::syscall(SYS_userfaultfd, kFlags | kUserModeOnly)));
  return uffd;
}

std::uint64_t address_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at); }

}  // namespace

std::optional<std::string> UffdRegion::unsupported() {
  if (open_uffd().valid()) return std::nullopt;
  return fmt::format("userfaultfd: {}", std::strerror(errno));
}

Result<std::unique_ptr<UffdRegion>> UffdRegion::map(std::size_t pages) {
  std::unique_ptr<UffdRegion> region(new UffdRegion);
  region->uffd_ = open_uffd();
  if (!region->uffd_.valid()) return fail_errno("userfaultfd", errno, {}, Origin::lacking);
  uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
  if (::ioctl(region->uffd_.get(), UFFDIO_API, &api) != 0)
    return fail_errno("userfaultfd: UFFDIO_API", errno, {}, Origin::lacking);
  region->size_ = pages * kPage;
  void* const base = ::mmap(nullptr, region->size_, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return fail_errno("userfaultfd: map memory", errno);
  region->base_ = static_cast<std::byte*>(base);
  uffdio_register wanted{.range = {.start = address_of(base), .len = region->size_},
                         .mode = UFFDIO_REGISTER_MODE_MISSING,
                         .ioctls = 0};
  if (::ioctl(region->uffd_.get(), UFFDIO_REGISTER, &wanted) != 0)
    return fail_errno("userfaultfd: UFFDIO_REGISTER", errno, {}, Origin::lacking);
  return region;
}

UffdRegion::~UffdRegion() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

std::optional<std::size_t> UffdRegion::next_fault(Nanos patience) {
  pollfd waiting{uffd_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(patience / kMillisecond)) <= 0) return std::nullopt;
  uffd_msg message{};
  if (::read(uffd_.get(), &message, sizeof message) != static_cast<ssize_t>(sizeof message) ||
      message.event != UFFD_EVENT_PAGEFAULT)
    return std::nullopt;
  return (message.arg.pagefault.address - address_of(base_)) / kPage;
}

int UffdRegion::answer(std::size_t number, const std::byte* bytes) {
  uffdio_copy copy{.dst = address_of(page(number)),
                   .src = address_of(bytes),
                   .len = kPage,
                   .mode = 0,
                   .copy = 0};
  while (::ioctl(uffd_.get(), UFFDIO_COPY, &copy) != 0) {
    if (errno == EAGAIN) continue;  // the memory map is being changed
    if (errno != EEXIST) return errno;
    uffdio_range range{.start = copy.dst, .len = kPage};
    return ::ioctl(uffd_.get(), UFFDIO_WAKE, &range) == 0 ? 0 : errno;
  }
  return 0;
}

}  // namespace stallproof
