// SPDX-License-Identifier: Apache-2.0
// What all injectors with a disk of the loads' own have in common: an ext4 in memory at
// DIRECTORY/disk, the loads' file on it.
#pragma once

#include <memory>
#include <string>

#include "workloads/catalogue.h"
#include "workloads/injector/ext4_disk.h"
#include "workloads/injector/injector.h"

namespace stallproof {

inline constexpr WorkloadParameter kDiskSizeParameter{"disk-size", "96MiB",
                                                      "size of the loads' ext4 in memory"};

class DiskInjector : public Injector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    const auto size = context.settings.size("disk-size", 0);
    if (!size) return Failure{size.error()};
    auto disk = Ext4Disk::make(context.directory + "/disk", *size);
    if (!disk) return Failure{disk.error()};
    disk_ = std::move(*disk);
    return disk_->file("data");
  }
  Result<> inject(pid_t) override { return {}; }
  Result<> heal() override { return {}; }
  Result<> remove() override { return disk_ ? disk_->remove() : Result<>{}; }

 protected:
  // Null before prepare().
  [[nodiscard]] Ext4Disk* disk() { return disk_.get(); }

 private:
  std::unique_ptr<Ext4Disk> disk_;
};

}  // namespace stallproof
