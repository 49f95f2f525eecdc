// SPDX-License-Identifier: Apache-2.0
// A build without prometheus-cpp: metrics are in text files alone.
#include "harness/sink/metrics_endpoint.h"

namespace stallproof {

class MetricsEndpoint::Server {};

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Server> server, std::uint16_t port)
    : server_(std::move(server)), port_(port) {}
MetricsEndpoint::MetricsEndpoint(MetricsEndpoint&&) noexcept = default;
MetricsEndpoint::~MetricsEndpoint() = default;

Result<MetricsEndpoint> MetricsEndpoint::open(const ListenAddress&, Collect) {
  return fail(
      "this build serves no metrics (it was made without prometheus-cpp); --textfile FILE writes "
      "them for node_exporter");
}

}  // namespace stallproof
