// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/tcp_relay.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

namespace stallproof {
namespace {

constexpr int kSoonMs = 2000;
constexpr int kSilenceMs = 60;

bool comes(const Fd& socket, int within_ms) {
  pollfd asked{socket.get(), POLLIN, 0};
  return ::poll(&asked, 1, within_ms) == 1;
}

Fd connect_to(std::uint16_t port) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return socket;
}

TEST(TcpRelay, PassesOnBothWaysUntilItIsSilentAndAfter) {
  const auto server = listen_on_loopback();
  ASSERT_TRUE(server) << server.error().what;
  TcpRelay relay;
  const auto port = relay.start(server->port);
  ASSERT_TRUE(port) << port.error().what;
  const Fd client = connect_to(*port);
  ASSERT_TRUE(comes(server->socket, kSoonMs));
  const Fd accepted(::accept(server->socket.get(), nullptr, nullptr));
  char heard[8] = {};

  ASSERT_EQ(::send(client.get(), "ask", 3, 0), 3);
  ASSERT_TRUE(comes(accepted, kSoonMs));
  EXPECT_EQ(::recv(accepted.get(), heard, sizeof heard, 0), 3);
  ASSERT_EQ(::send(accepted.get(), "tell", 4, 0), 4);
  ASSERT_TRUE(comes(client, kSoonMs));
  EXPECT_EQ(::recv(client.get(), heard, sizeof heard, 0), 4);

  relay.be_silent(true);
  ::poll(nullptr, 0, kSilenceMs);
  ASSERT_EQ(::send(client.get(), "again", 5, 0), 5);
  EXPECT_FALSE(comes(accepted, kSilenceMs));
  relay.be_silent(false);
  ASSERT_TRUE(comes(accepted, kSoonMs));
  EXPECT_EQ(::recv(accepted.get(), heard, sizeof heard, 0), 5);
}

}  // namespace
}  // namespace stallproof
