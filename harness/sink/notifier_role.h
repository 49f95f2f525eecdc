// SPDX-License-Identifier: Apache-2.0
// The process that delivers notices: started before the load, so that no fork of the controller is
// needed while something is stuck. Opens no file of a run; the command runs in the run directory.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// Words: the number of its socket, that of its ready pipe, then the command.
int run_notifier_role(const std::vector<std::string>& words);

}  // namespace stallproof
