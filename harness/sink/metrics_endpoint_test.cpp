// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/sink/metrics_collectable.h"
#include "harness/sink/metrics_text.h"

namespace stallproof {
namespace {

constexpr ListenAddress kAnyPort{.host = "127.0.0.1", .port = 0};

MetricFamilies two_families() {
  return {{.name = "a_total",
           .help = "A.",
           .type = MetricType::counter,
           .samples = {{.labels = {{"x", "<script>\"\n\\"}}, .value = 3}}},
          {.name = "h",
           .help = "H.",
           .type = MetricType::histogram,
           .edges = {0.5},
           .samples = {{.labels = {}, .counts = {1, 2}, .sum = 4}}}};
}

Fd connect_to(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  return fd;
}

// All that comes until the other side closes.
std::string read_all(const Fd& fd, Deadline deadline) {
  std::string text;
  char bytes[4096];
  pollfd item{fd.get(), POLLIN, 0};
  while (::poll(&item, 1, deadline.poll_ms()) > 0) {
    const ssize_t n = ::read(fd.get(), bytes, sizeof bytes);
    if (n <= 0) break;
    text.append(bytes, static_cast<std::size_t>(n));
  }
  return text;
}

std::string scrape(std::uint16_t port) {
  const Fd fd = connect_to(port);
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(::write(fd.get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  return read_all(fd, Deadline::in(5 * kSecond));
}

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST(MetricsEndpoint, ServesWhatIsCollectedAsTheTextFileHasIt) {
  auto endpoint = MetricsEndpoint::open(kAnyPort, two_families);
  ASSERT_TRUE(endpoint) << endpoint.error().what;
  const auto served = sorted_lines(scrape(endpoint->port()));
  for (const std::string& line : sorted_lines(metrics_text(two_families())))
    EXPECT_TRUE(std::binary_search(served.begin(), served.end(), line)) << line;
}

TEST(MetricsEndpoint, EachScrapeCollectsAnew) {
  double value = 0;
  auto endpoint = MetricsEndpoint::open(kAnyPort, [&value]() -> MetricFamilies {
    return {{.name = "now", .help = "N.", .samples = {{.value = ++value}}}};
  });
  ASSERT_TRUE(endpoint);
  EXPECT_NE(scrape(endpoint->port()).find("\nnow 1"), std::string::npos);
  EXPECT_NE(scrape(endpoint->port()).find("\nnow 2"), std::string::npos);
}

TEST(MetricsEndpoint, TakenPortIsNamedWithTheReason) {
  auto first = MetricsEndpoint::open(kAnyPort, two_families);
  ASSERT_TRUE(first);
  const auto second =
      MetricsEndpoint::open({.host = "127.0.0.1", .port = first->port()}, two_families);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().origin, Origin::user);
  EXPECT_NE(second.error().what.find("127.0.0.1:" + std::to_string(first->port())),
            std::string::npos);
  EXPECT_NE(second.error().what.find("Address already in use"), std::string::npos);
}

TEST(MetricsEndpoint, AddressOfAnotherMachineIsRefused) {
  const auto endpoint = MetricsEndpoint::open({.host = "192.0.2.1", .port = 0}, two_families);
  ASSERT_FALSE(endpoint);
  EXPECT_NE(endpoint.error().what.find("192.0.2.1:0"), std::string::npos);
}

TEST(MetricsEndpoint, ThoseWhoSayNothingKeepNobodyWaiting) {
  auto endpoint = MetricsEndpoint::open(kAnyPort, two_families);
  ASSERT_TRUE(endpoint);
  std::vector<Fd> silent;
  for (int i = 0; i < 12; ++i) silent.push_back(connect_to(endpoint->port()));
  const Nanos began = monotonic_now();
  EXPECT_NE(scrape(endpoint->port()).find("a_total"), std::string::npos);
  EXPECT_LT(monotonic_now() - began, kSecond);
}

TEST(MetricsEndpoint, WhoeverHangsUpEndsNobody) {
  auto endpoint = MetricsEndpoint::open(kAnyPort, two_families);
  ASSERT_TRUE(endpoint);
  for (int i = 0; i < 20; ++i) {
    const Fd fd = connect_to(endpoint->port());
    const linger at_once{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ASSERT_GT(::write(fd.get(), "GET /metrics HTTP/1.1\r\n\r\n", 25), 0);
  }
  EXPECT_NE(scrape(endpoint->port()).find("a_total"), std::string::npos);
}

TEST(MetricsEndpoint, PipeSignalStaysAsItWas) {
  struct sigaction before {};
  ::sigaction(SIGPIPE, nullptr, &before);
  auto endpoint = MetricsEndpoint::open(kAnyPort, two_families);
  struct sigaction after {};
  ::sigaction(SIGPIPE, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

}  // namespace
}  // namespace stallproof
