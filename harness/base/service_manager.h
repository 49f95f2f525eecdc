// SPDX-License-Identifier: Apache-2.0
// What systemd (or whoever set NOTIFY_SOCKET) wants to hear of a service: ready, alive, what it is
// doing; sd_notify(3) without its library. A datagram is sent or dropped, never waited for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/clock.h"
#include "harness/base/fd.h"

namespace stallproof {

class ServiceManager {
 public:
  // By NOTIFY_SOCKET and WATCHDOG_USEC; without the first everything here does nothing.
  static ServiceManager from_environment();

  [[nodiscard]] bool listens() const { return socket_.valid(); }
  void ready(std::string_view status);
  // Call it in every loop, with whether the one who watches is itself alive: only then does it tell
  // that we are. At most four times per WATCHDOG_USEC, once a second where there is none.
  void alive(bool fresh, Nanos now);
  void status(std::string_view text);
  void stopping();
  // Datagrams that nobody took.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void send(const std::string& message);

  Fd socket_;
  std::string path_;
  Nanos every_ns_ = kSecond;
  Nanos last_ns_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace stallproof
