// SPDX-License-Identifier: Apache-2.0
// makedumpfile's flattened form (`makedumpfile -F`, QEMU's dump-guest-memory -z): pieces with the
// place each belongs to, made for pipes (makedumpfile.h struct makedumpfile_header, 1.5 to 1.7).
#pragma once

#include <string_view>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

bool is_flattened(std::string_view beginning);

// Undoes it into a nameless file in $TMPDIR or /var/tmp, sparse, gone when closed; in memory where
// neither takes it. Blocking; reads `from` once, 1 MiB at a time. An Error when the form is damaged
// or ends early.
Result<Fd> unflatten(int from);

}  // namespace stallproof
