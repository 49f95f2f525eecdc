// SPDX-License-Identifier: Apache-2.0
// Where to listen, as people write it: 9464 and :9464 are on this machine alone (127.0.0.1); every
// other address must be written out. Port 0: the kernel chooses. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

struct ListenAddress {
  std::string host;  // IPv4, in dots
  std::uint16_t port = 0;
};

Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace stallproof
