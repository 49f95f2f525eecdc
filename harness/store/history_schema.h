// SPDX-License-Identifier: Apache-2.0
// history.db: the tables, how an older file is brought up to date, and which files are refused.
#pragma once

#include <string>

#include "harness/store/sqlite_database.h"

namespace stallproof {

// "SPhy": what `file` and SQLite itself call the file by.
inline constexpr std::int64_t kHistoryApplication = 0x53506879;

std::int64_t history_schema_version();

// Empty files get the tables, older ones what they lack (`may_write`; else they are refused). What
// another program or a newer version wrote is refused and left as it is, with what to do.
void prepare_history(Database& database, bool may_write);

}  // namespace stallproof
