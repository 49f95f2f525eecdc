// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/privileges.h"
#include "harness/base/real_time.h"
#include "harness/sink/metrics_collectable.h"
#include "harness/sink/quiet_threads.h"

namespace stallproof {
namespace {

// A connection that says nothing keeps a thread of the server until the time-out.
constexpr const char* kThreads = "24";
constexpr const char* kTimeoutMs = "2000";

sockaddr_in socket_name(const ListenAddress& address) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  ::inet_pton(AF_INET, address.host.c_str(), &name.sin_addr);
  return name;
}

// The server says only that it failed: why is what the kernel tells us.
int bind_problem(const ListenAddress& address) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return errno;
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in name = socket_name(address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return errno;
  return ::listen(fd.get(), 1) != 0 ? errno : 0;
}

// The server looks every two seconds whether it is to end, and when somebody connects.
void knock(const ListenAddress& address) {
  constexpr timespec kOnceItIsTold{0, 20'000'000};
  ::nanosleep(&kOnceItIsTold, nullptr);
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in name = socket_name(address);
  ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
}

// The server ignores SIGPIPE for the whole process: a command of the user would inherit that.
class PipeSignalKept {
 public:
  PipeSignalKept() { ::sigaction(SIGPIPE, nullptr, &before_); }
  PipeSignalKept(const PipeSignalKept&) = delete;
  PipeSignalKept& operator=(const PipeSignalKept&) = delete;
  ~PipeSignalKept() { ::sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

std::vector<std::string> options_of(const ListenAddress& address) {
  return {"listening_ports",    fmt::format("{}:{}", address.host, address.port),
          "num_threads",        kThreads,
          "request_timeout_ms", kTimeoutMs,
          "enable_keep_alive",  "no"};
}

}  // namespace

class MetricsEndpoint::Server {
 public:
  Server(const ListenAddress& address, Collect collect)
      : address_(address),
        collectable_(std::make_shared<MetricsCollectable>(std::move(collect))),
        exposer_(options_of(address)) {
    exposer_.RegisterCollectable(collectable_);
    const auto ports = exposer_.GetListeningPorts();
    if (!ports.empty()) address_.port = static_cast<std::uint16_t>(ports.front());
  }
  [[nodiscard]] const ListenAddress& address() const { return address_; }

 private:
  ListenAddress address_;
  std::shared_ptr<MetricsCollectable> collectable_;
  prometheus::Exposer exposer_;
};

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Server> server, std::uint16_t port)
    : server_(std::move(server)), port_(port) {}
MetricsEndpoint::MetricsEndpoint(MetricsEndpoint&&) noexcept = default;
MetricsEndpoint::~MetricsEndpoint() {
  if (!server_) return;
  const SignalsBlocked blocked;
  std::thread visitor(knock, server_->address());
  server_.reset();
  visitor.join();
}

// By a thread that has what its threads inherit: a turn beside loads that fill every CPU, as a
// scrape that waits for seconds looks like a node that is gone; and no more rights than they need,
// who talk to whoever connects. The web server's failures are exceptions without a common type of
// their own.
Result<std::unique_ptr<MetricsEndpoint::Server>> MetricsEndpoint::start(
    const ListenAddress& address, Collect collect) {
  std::unique_ptr<Server> server;
  std::string problem;
  const SignalsBlocked blocked;
  try {
    std::thread([&] {
      run_before_loads(RealTime::answers);
      give_up_all_but(kKeptByListener);
      try {
        server = std::make_unique<Server>(address, std::move(collect));
      } catch (const std::exception& error) {
        problem = error.what();
      }
    }).join();
  } catch (const std::system_error& error) {
    problem = error.what();
  }
  if (server) return Result<std::unique_ptr<Server>>(std::move(server));
  return fail(problem);
}

Result<MetricsEndpoint> MetricsEndpoint::open(const ListenAddress& address, Collect collect) {
  const std::string where = fmt::format("{}:{}", address.host, address.port);
  if (const int problem = bind_problem(address); problem != 0)
    return fail_errno(where, problem, "another port, or 0 for one that is free");
  const PipeSignalKept kept;
  auto server = start(address, std::move(collect));
  if (!server)
    return fail(fmt::format("{}: {} (another port, or 0 for one that is free)", where,
                            server.error().what));
  const std::uint16_t port = (*server)->address().port;
  return MetricsEndpoint(std::move(*server), port);
}

}  // namespace stallproof
