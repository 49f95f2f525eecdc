// SPDX-License-Identifier: Apache-2.0
// What an injector makes that no process and no mount of the run takes along when it ends: held
// locks of the module ffs_stub, device-mapper and null_blk devices. Each is written into a file of
// the run's directory before it is made, so that the next start can undo it after a SIGKILL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct LeftThing {
  std::string kind;  // one of left_things.cpp's table
  std::string name;  // without blanks
};

// DIRECTORY/things. Before the thing is made.
Result<> note_thing(const std::string& directory, const LeftThing& thing);
// In the order in which they were made; what this program does not know is left out.
std::vector<LeftThing> noted_things(const std::string& directory);
// All of them are gone.
void forget_things(const std::string& directory);

// So that whoever waits goes on, and can be killed: releases, resumes. One that is gone is no
// error. May block where the kernel does: from outside, in a child (run_bounded).
Result<> lift_thing(const LeftThing& thing);
// When nobody uses it any more. The same.
Result<> remove_thing(const LeftThing& thing);

}  // namespace stallproof
