// SPDX-License-Identifier: Apache-2.0
// The one table of injectors: scenarios name them, the injector process makes them. A new one is
// one file and one line in injector_catalogue.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "workloads/catalogue.h"
#include "workloads/injector/injector.h"

namespace stallproof {

struct InjectorInfo {
  std::string_view name;
  std::string_view summary;
  std::span<const WorkloadParameter> parameters;
  std::unique_ptr<Injector> (*make)() = nullptr;
};

std::span<const InjectorInfo> injector_catalogue();
// nullptr for a name that is not in the table.
const InjectorInfo* find_injector(std::string_view name);

}  // namespace stallproof
