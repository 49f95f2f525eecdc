// SPDX-License-Identifier: Apache-2.0
// A file that loads of several processes or nodes change at the same time: each a part of its own,
// or all of them all of it.
//
// The rule: a part has a label of its own in its first page, and an open file description lock
// (fcntl F_OFD_SETLK, Linux 3.15; byte ranges, so that parts do not exclude each other) for as long
// as the descriptor lives; a file system that knows no locks protects nothing and is no reason to
// refuse. Where all write everywhere, filling is the same bytes from everybody, and pattern is what
// a reader there takes for right at any time. Loads that take the whole file by flock(2) are not
// kept out: a file is used in one way at a time.
#pragma once

#include "workloads/content/test_file.h"

namespace stallproof {

// Main thread, before the load starts. Blocks on the file system. spec.size must be given.
Result<TestFile> open_shared_file(const TestFileSpec& spec);

}  // namespace stallproof
