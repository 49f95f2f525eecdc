// SPDX-License-Identifier: Apache-2.0
// The process that makes one job's operations on files: one mm with all its threads. After a stall
// nothing in it is trusted to run.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// `stallproof child files board=FD panel=FD job=FD ready=FD`, in a process of its own, main thread.
// Looks at the trees, which may take long, then every thread has its tid in its slot before the
// ready report, runs in Phase::run and sets slot.left when it returns. Returns only to refuse
// (2, 3); else it ends by _exit(): 0 when all is done or after Phase::stop or SIGTERM, 2 when the
// run cannot go on (FilePanelHeader::ended_by says why), 3 when a thread has not left 2 s after
// SIGTERM or the control files cannot be written.
int run_files_role(const std::vector<std::string>& words);

}  // namespace stallproof
