// SPDX-License-Identifier: Apache-2.0
#include "harness/base/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace stallproof {

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const char* const path = ::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return manager;
  if (std::strlen(path) >= sizeof(sockaddr_un::sun_path)) return manager;
  manager.path_ = path;
  manager.socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (const char* const text = ::getenv("WATCHDOG_USEC")) {
    std::uint64_t micros = 0;
    const auto [end, error] = std::from_chars(text, text + std::strlen(text), micros);
    if (error == std::errc{} && *end == '\0' && micros > 0)
      manager.every_ns_ = std::min<Nanos>(micros, 3'600'000'000) * 1000 / 4;
  }
  return manager;
}

void ServiceManager::send(const std::string& message) {
  if (!socket_.valid()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  if (::sendto(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address),
               length) != static_cast<ssize_t>(message.size()))
    ++dropped_;
}

void ServiceManager::ready(std::string_view text) {
  send("READY=1\nSTATUS=" + std::string(text) + "\n");
}

void ServiceManager::alive(bool fresh, Nanos now) {
  if (!fresh || (last_ns_ != 0 && now < last_ns_ + every_ns_)) return;
  last_ns_ = now;
  send("WATCHDOG=1\n");
}

void ServiceManager::status(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  send("STATUS=" + line + "\n");
}

void ServiceManager::stopping() { send("STOPPING=1\n"); }

}  // namespace stallproof
