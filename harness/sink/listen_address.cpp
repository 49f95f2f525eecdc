// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace stallproof {
namespace {

constexpr const char* kThisMachine = "127.0.0.1";

Failure refuse(std::string_view text, const char* why) {
  return fail(fmt::format("'{}': {} (as 9464, :9464 or 192.0.2.7:9464)", text, why));
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  std::string host(colon == std::string_view::npos ? "" : text.substr(0, colon));
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (port.empty() || error != std::errc() || end != port.data() + port.size() || number > 65535)
    return refuse(text, "no port between 0 and 65535");
  if (host.empty() || host == "localhost") host = kThisMachine;
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return refuse(text, "no IPv4 address");
  return ListenAddress{.host = host, .port = static_cast<std::uint16_t>(number)};
}

}  // namespace stallproof
