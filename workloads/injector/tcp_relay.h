// SPDX-License-Identifier: Apache-2.0
// Passes what one TCP connection on the loopback interface says on to a server there, and back,
// until it is told to be silent: then the connection stands and nothing comes. One thread; ends
// with its process, and the connection with it.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

// A socket that listens on 127.0.0.1, at a port that the kernel chooses.
struct LoopbackListener {
  Fd socket;
  std::uint16_t port = 0;
};
Result<LoopbackListener> listen_on_loopback();

class TcpRelay {
 public:
  TcpRelay() = default;
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;
  ~TcpRelay() { stop(); }

  // Returns the port that stands for the server's.
  Result<std::uint16_t> start(std::uint16_t server_port);
  void be_silent(bool silent) { silent_.store(silent, std::memory_order_release); }
  // Again: nothing to do.
  void stop();

 private:
  void relay();
  void pass(const Fd& client, const Fd& server);

  LoopbackListener listener_;
  std::uint16_t server_port_ = 0;
  std::atomic<bool> silent_ = false, ended_ = false;
  std::thread thread_;
};

}  // namespace stallproof
