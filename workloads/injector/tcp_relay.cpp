// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/tcp_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace stallproof {
namespace {

// How late it is seen that the relay is silent, speaks again or ends.
constexpr int kStepMs = 10;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(const Fd& to, const char* at, ssize_t bytes) {
  while (bytes > 0) {
    const ssize_t sent = ::send(to.get(), at, static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    bytes -= sent;
  }
  return true;
}

// False when there is nothing more to come.
bool pass_on(const Fd& from, const Fd& to) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(from.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  return got > 0 && send_all(to, buffer.data(), got);
}

}  // namespace

Result<LoopbackListener> listen_on_loopback() {
  LoopbackListener listener;
  listener.socket = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (!listener.socket.valid() || ::bind(listener.socket.get(), plain, length) != 0 ||
      ::listen(listener.socket.get(), 16) != 0 ||
      ::getsockname(listener.socket.get(), plain, &length) != 0)
    return fail_errno("listen on 127.0.0.1", errno, "ip link set lo up");
  listener.port = ntohs(address.sin_port);
  return listener;
}

Result<std::uint16_t> TcpRelay::start(std::uint16_t server_port) {
  auto listener = listen_on_loopback();
  if (!listener) return Failure{listener.error()};
  listener_ = std::move(*listener);
  server_port_ = server_port;
  thread_ = std::thread([this] { relay(); });
  return listener_.port;
}

// One connection after the other: a client that reconnects is served again.
void TcpRelay::relay() {
  while (!ended_.load(std::memory_order_acquire)) {
    pollfd asked{listener_.socket.get(), POLLIN, 0};
    if (::poll(&asked, 1, kStepMs) <= 0) continue;
    const Fd client(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
    const sockaddr_in address = loopback(server_port_);
    if (client.valid() && server.valid() &&
        ::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      pass(client, server);
  }
}

void TcpRelay::pass(const Fd& client, const Fd& server) {
  while (!ended_.load(std::memory_order_acquire)) {
    if (silent_.load(std::memory_order_acquire)) {
      ::poll(nullptr, 0, kStepMs);
      continue;
    }
    std::array<pollfd, 2> ends{{{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}}};
    if (::poll(ends.data(), ends.size(), kStepMs) <= 0) continue;
    if (ends[0].revents != 0 && !pass_on(client, server)) return;
    if (ends[1].revents != 0 && !pass_on(server, client)) return;
  }
}

void TcpRelay::stop() {
  ended_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
  listener_.socket.reset();
}

}  // namespace stallproof
