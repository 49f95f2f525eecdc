// SPDX-License-Identifier: Apache-2.0
// A format: an anchor's old tree is removed, its folders are made, then its files are written. The
// threads of an anchor go from one stage to the next together.
#pragma once

#include "workloads/files/file_engine.h"

namespace stallproof {

void run_format_thread(FileContext& context, const FileThread& thread);

}  // namespace stallproof
