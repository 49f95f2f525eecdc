// SPDX-License-Identifier: Apache-2.0
// What the watchdog does so that the machine it watches cannot stop it.
#pragma once

#include <string>

namespace stallproof {

// Locks all memory present and future and touches the stack, makes the process the last to be
// killed for want of memory, and asks for a real-time slot before ordinary work. Each is best
// effort: a late loop shows as lag. Only unlocked memory can hide a stall, because a page fault of
// the watchdog itself may wait for the disk that is stuck: returns why it is, else nothing.
std::string protect_this_process();

}  // namespace stallproof
