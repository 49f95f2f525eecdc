// SPDX-License-Identifier: Apache-2.0
// What a directory under test is, seen by a child with a deadline: the directory may hang.
// Controller; blocks for at most a few seconds.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/result.h"
#include "harness/run/target_facts.h"

namespace stallproof {

struct TargetLook {
  std::string path;  // absolute, without links
  std::uint32_t device_major = 0, device_minor = 0;
  std::uint64_t free_bytes = 0;  // for ordinary users
  std::string fstype, source;    // as mounted; empty when no mount is found for it
  TargetFacts facts;
};

// An Error when it is no directory, cannot be written to, or does not answer.
Result<TargetLook> look_at_target(const std::string& directory);

// The largest share of the free space that a run takes without being told the size by a plan.
inline constexpr std::uint64_t kLargestShare = 10;  // percent
// An Error when `bytes` are more than that; `asked` is how the user said it.
Result<> refuse_large(const TargetLook& target, std::uint64_t bytes, const std::string& asked);

}  // namespace stallproof
