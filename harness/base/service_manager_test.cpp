// SPDX-License-Identifier: Apache-2.0
#include "harness/base/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace stallproof {
namespace {

// The service manager's side: a real datagram socket, and the environment it gives its services.
class Listener {
 public:
  explicit Listener(const std::string& path, const char* watchdog_usec = nullptr) : path_(path) {
    socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    if (watchdog_usec != nullptr) ::setenv("WATCHDOG_USEC", watchdog_usec, 1);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    if (path_[0] == '/') ::unlink(path_.c_str());
  }
  std::string heard() {
    std::array<char, 512> text{};
    const ssize_t n = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return n < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(n));
  }

 private:
  std::string path_;
  Fd socket_;
};

std::string fresh_path() { return "/tmp/notify." + std::to_string(::getpid()); }

TEST(ServiceManager, HearsReadyStatusAndStopping) {
  Listener listener(fresh_path());
  ServiceManager manager = ServiceManager::from_environment();
  ASSERT_TRUE(manager.listens());
  manager.ready("watching");
  EXPECT_EQ(listener.heard(), "READY=1\nSTATUS=watching\n");
  manager.status("two\nlines");
  EXPECT_EQ(listener.heard(), "STATUS=two lines\n");
  manager.stopping();
  EXPECT_EQ(listener.heard(), "STOPPING=1\n");
  EXPECT_EQ(manager.dropped(), 0U);
}

TEST(ServiceManager, IsToldThatWeLiveOnlyWhileTheWatcherDoes) {
  Listener listener("@stallproof-notify-" + std::to_string(::getpid()), "2000000");
  ServiceManager manager = ServiceManager::from_environment();
  manager.alive(false, 10 * kSecond);
  EXPECT_EQ(listener.heard(), "");
  manager.alive(true, 10 * kSecond);
  EXPECT_EQ(listener.heard(), "WATCHDOG=1\n");
  manager.alive(true, 10 * kSecond + 400 * kMillisecond);
  EXPECT_EQ(listener.heard(), "");
  manager.alive(true, 10 * kSecond + 500 * kMillisecond);
  EXPECT_EQ(listener.heard(), "WATCHDOG=1\n");
}

TEST(ServiceManager, ManagerThatDoesNotListenCostsNothing) {
  ServiceManager none = ServiceManager::from_environment();
  EXPECT_FALSE(none.listens());
  none.ready("nobody hears");
  Listener listener(fresh_path());
  ServiceManager manager = ServiceManager::from_environment();
  // Nobody reads: the queue of the socket runs full, and nothing waits.
  for (int i = 0; i < 10'000; ++i) manager.status("again");
  EXPECT_GT(manager.dropped(), 0U);
}

TEST(ServiceManager, NonsenseInTheEnvironmentIsIgnored) {
  for (const std::string& path : {std::string("relative"), std::string(), std::string(200, '/')}) {
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    EXPECT_FALSE(ServiceManager::from_environment().listens()) << path;
  }
  ::unsetenv("NOTIFY_SOCKET");
  for (const char* micros : {"0", "-1", "12x", "", "99999999999999999999"}) {
    Listener listener(fresh_path(), micros);
    ServiceManager manager = ServiceManager::from_environment();
    manager.alive(true, kSecond);
    manager.alive(true, 2 * kSecond);
    EXPECT_EQ(listener.heard(), "WATCHDOG=1\n") << micros;
    EXPECT_EQ(listener.heard(), "WATCHDOG=1\n") << micros;
  }
}

}  // namespace
}  // namespace stallproof
