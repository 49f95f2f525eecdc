// SPDX-License-Identifier: Apache-2.0
// What the watchdog does so that the machine it watches cannot stop it.
#pragma once

namespace stallproof {

// Locks all memory present and future, makes the process the last to be killed for want of memory,
// and asks for a real-time slot before ordinary work. Each is best effort: a lack shows as lag.
void protect_this_process();

}  // namespace stallproof
