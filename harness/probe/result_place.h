// SPDX-License-Identifier: Apache-2.0
// Evidence on the file system under test would be lost with it: results are refused there.
// Controller only; bounded, for the path may lie on a file system that does not answer.
#pragma once

#include <functional>
#include <string>

#include "harness/base/result.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {

// An Error when `out` (empty: the default place, which is not asked about) or the part of it that
// exists lies on a mount that `under_test` says yes to, or does not answer within a second.
Result<> refuse_place_on_target(const std::string& out,
                                const std::function<bool(const MountEntry&)>& under_test);

}  // namespace stallproof
