// SPDX-License-Identifier: Apache-2.0
// The function that a report's stack blames: the innermost one that is no way to sleep, to lock, to
// wait or to look. Pure.
#pragma once

#include <string>

#include "harness/explain/log/report_draft.h"

namespace stallproof {

// Empty where no frame tells.
std::string blamed_function(const ReportDraft& draft);

}  // namespace stallproof
