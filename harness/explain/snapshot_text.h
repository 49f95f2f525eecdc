// SPDX-License-Identifier: Apache-2.0
// A LockSnapshot as files: snapshot.json for programs, stacks.txt for people. Pure.
#pragma once

#include <string>
#include <string_view>

#include "harness/probe/lock_snapshot.h"

namespace stallproof {

std::string_view to_word(Halt halt);
std::string_view to_word(FileWait::How how);

std::string snapshot_json(const LockSnapshot& snapshot);
std::string stacks_text(const LockSnapshot& snapshot);

}  // namespace stallproof
