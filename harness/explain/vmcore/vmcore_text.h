// SPDX-License-Identifier: Apache-2.0
// A dump as text, in the forms that people know from crash. Pure. `foreach bt` and `list
// rwsem_waiter` come out so that `explain --crash-text` reads them back.
#pragma once

#include <string>

#include "harness/explain/vmcore/vmcore.h"

namespace stallproof {

std::string bt_text(const Vmcore& dump);       // foreach bt
std::string tasks_text(const Vmcore& dump);    // ps
std::string waiters_text(const Vmcore& dump);  // list rwsem_waiter, for each contended lock

}  // namespace stallproof
