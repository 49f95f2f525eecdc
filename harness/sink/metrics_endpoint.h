// SPDX-License-Identifier: Apache-2.0
// Metrics by HTTP at /metrics, for a Prometheus that pulls. Served by threads of its own: whoever
// connects and says nothing, or reads slowly, keeps one of them for at most two seconds and nobody
// else waiting. prometheus-cpp and its web server stay behind this file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "harness/base/result.h"
#include "harness/sink/listen_address.h"
#include "harness/sink/metric_family.h"

namespace stallproof {

class MetricsEndpoint {
 public:
  // Called by several threads at once; must not wait for a disk or a target.
  using Collect = std::function<MetricFamilies()>;

  // Main thread, before any child or load is started. An Error names the address and why not:
  // taken, not one of this machine, or a build without an endpoint.
  static Result<MetricsEndpoint> open(const ListenAddress& address, Collect collect);
  MetricsEndpoint(MetricsEndpoint&&) noexcept;
  MetricsEndpoint& operator=(MetricsEndpoint&&) = delete;
  // Within some seconds, whoever is connected.
  ~MetricsEndpoint();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  class Server;
  static Result<std::unique_ptr<Server>> start(const ListenAddress& address, Collect collect);
  explicit MetricsEndpoint(std::unique_ptr<Server> server, std::uint16_t port);

  std::unique_ptr<Server> server_;
  std::uint16_t port_;
};

}  // namespace stallproof
