// SPDX-License-Identifier: Apache-2.0
// Saved logs that are no lines of text: journalctl -o json, json-pretty, export and verbose, dmesg
// --json, and UTF-16, which some shells make of what they redirect. Pure and total.
#pragma once

#include <string>

namespace stallproof {

// The kernel's own records, each on the line on which it began in `content`, behind its stamp where
// it has one; records of processes are left out. Any other text is given back as it is.
std::string plain_log(std::string content);

// UTF-16 with a byte order mark as UTF-8; everything else as it is.
std::string as_utf8(std::string content);

}  // namespace stallproof
