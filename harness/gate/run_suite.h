// SPDX-License-Identifier: Apache-2.0
// A run as a JUnit suite: one case for each load, and one for what concerns the run as a whole.
// Pure.
#pragma once

#include <string>

#include "harness/gate/junit_xml.h"
#include "harness/store/run_read.h"

namespace stallproof {

// The suite with all its cases passed.
JunitSuite suite_of(const StoredRun& run, const std::string& summary);

// The case of a load; that of the whole run when there is none of this name.
JunitCase& case_of(JunitSuite& suite, const std::string& load);

// junit.xml of one run, by its own verdict: a stall that was expected is no failure.
std::string run_junit(const StoredRun& run);

}  // namespace stallproof
