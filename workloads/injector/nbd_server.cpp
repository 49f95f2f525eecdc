// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/nbd_server.h"

#include <endian.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/nbd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/clock.h"
#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr unsigned kMostDevices = 16;  // nbds_max, unless the module was told otherwise
constexpr std::uint64_t kBlock = 4096;
constexpr Nanos kConnectWithin = 2 * kSecond;
constexpr int kSilentStepMs = 5;

bool receive_all(const Fd& from, void* into, std::size_t bytes) {
  return ::recv(from.get(), into, bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes);
}

bool send_all(const Fd& to, const void* what, std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(what);
  while (bytes > 0) {
    const ssize_t sent = ::send(to.get(), at, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

Result<std::string> NbdServer::start(std::uint64_t bytes) {
  content_.resize(bytes / kBlock * kBlock);
  if (auto connected = connect(content_.size()); !connected) return Failure{connected.error()};
  answering_ = std::thread([this] { serve(); });
  kernel_thread_ = std::thread([this] { ::ioctl(device_.get(), NBD_DO_IT); });
  if (auto ready = wait_until_connected(); !ready) {
    stop();
    return Failure{ready.error()};
  }
  return "/dev/" + name_;
}

Result<> NbdServer::connect(std::uint64_t bytes) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("make a socket pair", errno);
  kernel_end_ = Fd(ends[0]);
  our_end_ = Fd(ends[1]);
  for (unsigned number = 0; number < kMostDevices; ++number)
    if (try_device(number, bytes)) return {};
  return fail("no nbd device is free (modprobe nbd)", Origin::lacking);
}

// One that somebody has connected refuses the socket, and is left alone.
bool NbdServer::try_device(unsigned number, std::uint64_t bytes) {
  name_ = fmt::format("nbd{}", number);
  if (::access(fmt::format("/sys/block/{}/pid", name_).c_str(), F_OK) == 0) return false;
  device_ = Fd(::open(("/dev/" + name_).c_str(), O_RDWR | O_CLOEXEC));
  return device_.valid() && ::ioctl(device_.get(), NBD_SET_SOCK, kernel_end_.get()) == 0 &&
         ::ioctl(device_.get(), NBD_SET_BLKSIZE, kBlock) == 0 &&
         ::ioctl(device_.get(), NBD_SET_SIZE_BLOCKS, bytes / kBlock) == 0 &&
         ::ioctl(device_.get(), NBD_SET_FLAGS, NBD_FLAG_HAS_FLAGS) == 0;
}

Result<> NbdServer::wait_until_connected() const {
  const std::string size = fmt::format("/sys/block/{}/size", name_);
  for (const Deadline deadline = Deadline::in(kConnectWithin); !deadline.passed();
       ::poll(nullptr, 0, 1)) {
    const auto text = read_file(size, 64);
    const bool connected = ::access(fmt::format("/sys/block/{}/pid", name_).c_str(), F_OK) == 0;
    if (connected && text && *text != "0\n") return {};
  }
  return fail(fmt::format("/dev/{} was not connected within 2 s", name_), Origin::infra);
}

void NbdServer::serve() {
  while (!ended_.load(std::memory_order_acquire) && answer_one()) {
  }
}

// include/uapi/linux/nbd.h: all numbers big-endian, the handle is returned as it came.
bool NbdServer::answer_one() {
  nbd_request request{};
  if (!receive_all(our_end_, &request, sizeof request)) return false;
  const std::uint32_t command = be32toh(request.type) & 0xffffU;
  const std::uint64_t from = be64toh(request.from);
  const std::uint64_t length = be32toh(request.len);
  if (command == NBD_CMD_DISC) return false;
  const bool moves = command == NBD_CMD_READ || command == NBD_CMD_WRITE;
  const bool inside = from <= content_.size() && length <= content_.size() - from;
  if (moves && !inside) return false;
  if (command == NBD_CMD_WRITE && !receive_all(our_end_, content_.data() + from, length))
    return false;
  while (silent_.load(std::memory_order_acquire) && !ended_.load(std::memory_order_acquire))
    ::poll(nullptr, 0, kSilentStepMs);
  nbd_reply reply{};
  reply.magic = htobe32(NBD_REPLY_MAGIC);
  std::memcpy(&reply.handle, &request.handle, sizeof reply.handle);
  if (!send_all(our_end_, &reply, sizeof reply)) return false;
  return command != NBD_CMD_READ || send_all(our_end_, content_.data() + from, length);
}

void NbdServer::stop() {
  ended_.store(true, std::memory_order_release);
  if (device_.valid()) ::ioctl(device_.get(), NBD_DISCONNECT);
  if (our_end_.valid()) ::shutdown(our_end_.get(), SHUT_RDWR);
  if (answering_.joinable()) answering_.join();
  if (kernel_thread_.joinable()) kernel_thread_.join();
  if (device_.valid()) ::ioctl(device_.get(), NBD_CLEAR_SOCK);
  device_.reset();
}

}  // namespace stallproof
