// SPDX-License-Identifier: Apache-2.0
// A setting of the kernel (a file of /proc/sys) that is ours for a moment. Only its first word
// counts: of kernel.printk that is the console level. Controller and its children.
#pragma once

#include <string>

#include "harness/base/result.h"

namespace stallproof {

struct ChangedSetting {
  std::string path;
  std::string before;
  std::string ours;
};

// First word of the file.
Result<std::string> setting_now(const std::string& path);

enum class PutBack { was_ours, not_ours };
// Writes `before` when the setting still is `ours`: what somebody else set meanwhile stays.
Result<PutBack> put_back(const ChangedSetting& setting);

}  // namespace stallproof
