// SPDX-License-Identifier: Apache-2.0
// Entries into the tables of history.db, many in one transaction of the caller's.
#pragma once

#include "harness/store/history_entry.h"
#include "harness/store/sqlite_database.h"

namespace stallproof {

class HistoryInsert {
 public:
  explicit HistoryInsert(Database& database);
  // An earlier entry of the same run is replaced.
  void put(const HistoryEntry& entry);

 private:
  void put_run(const HistoryEntry& entry);
  void put_stalls(const HistoryEntry& entry, std::int64_t run_id);
  void put_loads(const Verdict& verdict, std::int64_t run_id);
  Database& database_;
  Statement forget_, run_, label_, stall_, load_;
};

}  // namespace stallproof
