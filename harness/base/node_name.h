// SPDX-License-Identifier: Apache-2.0
// What this machine is called among the nodes of a fleet.
#pragma once

#include <string>

namespace stallproof {

// $STALLPROOF_NODE, else what Slurm calls it ($SLURMD_NODENAME, set in jobs), else the host name.
// A name with other characters than letters, digits and ._- does not count.
std::string node_name();

}  // namespace stallproof
