// SPDX-License-Identifier: Apache-2.0
// For tests: a loop device on a file, freed when nobody has it open or mounted any more.
#pragma once

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <string>

#include "harness/base/fd.h"

namespace stallproof::testing {

class LabLoop {
 public:
  bool attach(int backing) {
    const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    name_ = "loop" + std::to_string(number);
    device_ = Fd(::open(path().c_str(), O_RDWR | O_CLOEXEC));
    loop_config config{};
    config.fd = static_cast<unsigned>(backing);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    return device_.valid() && ::ioctl(device_.get(), LOOP_CONFIGURE, &config) == 0;
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string path() const { return "/dev/" + name_; }

 private:
  std::string name_;
  Fd device_;
};

}  // namespace stallproof::testing
