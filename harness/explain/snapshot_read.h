// SPDX-License-Identifier: Apache-2.0
// snapshot.json (snapshot_text.h) back into a LockSnapshot, so that what one machine saw can be
// explained on another, with other file-system knowledge. Pure. Hostile input is an Error that
// names the place, never a crash: "tasks[3].tid: not a number".
#pragma once

#include <string_view>

#include "harness/base/result.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

Result<LockSnapshot> read_snapshot_json(std::string_view text);

}  // namespace stallproof
