// SPDX-License-Identifier: Apache-2.0
// Whether a block device may be written to as a whole: one that was made for a run of ours, or a
// loop device that its user has named. Of all others not a byte is changed: what is on them is
// somebody's. Reads /sys; blocks for nobody.
#pragma once

#include <string>

namespace stallproof {

// Loop devices; device-mapper devices of a run's name; nbd devices that a process beside us, a
// child of the same controller, has connected.
bool is_spare_device(const std::string& path, const std::string& sys = "/sys");

}  // namespace stallproof
