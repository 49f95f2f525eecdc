// SPDX-License-Identifier: Apache-2.0
// Fields without which nothing can be read: asked for one after the other, the first that is
// missing is named.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_btf.h"

namespace stallproof {

class NeededFields {
 public:
  explicit NeededFields(const KernelBtf& btf) : btf_(btf) {}
  // 0 when it is missing.
  std::uint32_t field(std::string_view type, std::initializer_list<std::string_view> paths) {
    const auto found = btf_.offset(type, paths);
    if (!found) note(std::string(type) + "." + std::string(*paths.begin()));
    return found.value_or(0);
  }
  std::uint32_t size(std::string_view type) {
    const auto found = btf_.size(type);
    if (!found) note(std::string(type));
    return found.value_or(0);
  }
  [[nodiscard]] const std::string& missing() const { return missing_; }
  [[nodiscard]] Failure lacking() const {
    return fail("BTF does not describe " + missing_ +
                ": a kernel of a form not known, or a damaged dump");
  }

 private:
  void note(std::string what) {
    if (missing_.empty()) missing_ = std::move(what);
  }

  const KernelBtf& btf_;
  std::string missing_;
};

}  // namespace stallproof
