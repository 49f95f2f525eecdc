// SPDX-License-Identifier: Apache-2.0
// A network block device whose server is this process: a free /dev/nbdN, a socket pair, one thread
// in the kernel's part (NBD_DO_IT) and one that answers from memory, until it is told to be silent.
// All of it ends with the process: the kernel fails what is in flight and frees the device
// (nbd_start_device_ioctl, drivers/block/nbd.c, 6.1). Root only.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class NbdServer {
 public:
  NbdServer() = default;
  NbdServer(const NbdServer&) = delete;
  NbdServer& operator=(const NbdServer&) = delete;
  ~NbdServer() { stop(); }

  // Returns the device when it is connected and can be read.
  Result<std::string> start(std::uint64_t bytes);
  // Requests are read and not answered, until it speaks again.
  void be_silent(bool silent) { silent_.store(silent, std::memory_order_release); }
  // Disconnects; what is in flight fails. Ends both threads. Again: nothing to do.
  void stop();

 private:
  Result<> connect(std::uint64_t bytes);
  bool try_device(unsigned number, std::uint64_t bytes);
  [[nodiscard]] Result<> wait_until_connected() const;
  void serve();
  [[nodiscard]] bool answer_one();

  std::vector<std::byte> content_;
  std::string name_;  // "nbd0"
  Fd device_, kernel_end_, our_end_;
  std::atomic<bool> silent_ = false, ended_ = false;
  std::thread kernel_thread_, answering_;
};

}  // namespace stallproof
