// SPDX-License-Identifier: Apache-2.0
// A network block device whose server falls silent: the connection stands, requests are taken, and
// no answer comes.
#include "workloads/injector/injector_catalogue.h"
#include "workloads/injector/nbd_server.h"

namespace stallproof {
namespace {

class NbdDisk : public Injector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto size = context.settings.size("disk-size", 0);
    if (!size) return Failure{size.error()};
    return server_.start(*size);
  }
  Result<> inject(pid_t) override {
    server_.be_silent(true);
    return {};
  }
  Result<> heal() override {
    server_.be_silent(false);
    return {};
  }
  Result<> remove() override {
    server_.stop();
    return {};
  }

 private:
  NbdServer server_;
};

constexpr WorkloadParameter kParameters[] = {
    {"disk-size", "64MiB", "size of the device, in memory"},
};

}  // namespace

InjectorInfo nbd_disk_injector();
InjectorInfo nbd_disk_injector() {
  return {.name = "nbd-disk",
          .summary = "a network block device whose server falls silent",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<NbdDisk>()); }};
}

}  // namespace stallproof
