// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_schema.h"

#include <fmt/format.h>

#include <array>

namespace stallproof {
namespace {

// Instants are milliseconds since 1970. `state`: pass, fail, unknown, unfinished, unreadable.
// `stamp_ns`: when verdict.json was last changed, as the file system tells it; 0: there was none.
// `purpose` is 1 where the stall was made by repro, which says nothing of how often it comes.
constexpr const char* kFirst = R"(
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  node TEXT NOT NULL,
  directory TEXT NOT NULL,
  state TEXT NOT NULL,
  stamp_ns INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  offset_min INTEGER NOT NULL,
  duration_s REAL NOT NULL,
  exit_code INTEGER,
  reason TEXT NOT NULL,
  scenario TEXT NOT NULL,
  purpose INTEGER NOT NULL,
  build TEXT NOT NULL,
  kernel TEXT NOT NULL,
  tool_version TEXT NOT NULL,
  target TEXT NOT NULL,
  fstype TEXT NOT NULL,
  stalls INTEGER NOT NULL,
  failing INTEGER NOT NULL,
  dropouts INTEGER NOT NULL,
  dropout_s REAL NOT NULL,
  UNIQUE (run, node)
) STRICT;
CREATE INDEX run_directory ON run (directory);
CREATE INDEX run_started ON run (started_ms);
CREATE INDEX run_build ON run (build, started_ms);
CREATE TABLE label (
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_value ON label (key, value);
CREATE TABLE stall (
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  incident TEXT NOT NULL,
  class TEXT NOT NULL,
  signature TEXT NOT NULL,
  onset_ms INTEGER NOT NULL,
  duration_ms REAL,
  failing INTEGER NOT NULL,
  PRIMARY KEY (run_id, incident)
) STRICT, WITHOUT ROWID;
CREATE INDEX stall_signature ON stall (signature, onset_ms);
CREATE TABLE load (
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  name TEXT NOT NULL,
  ops INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  ops_per_s REAL,
  bytes_per_s REAL,
  p50_us REAL,
  p99_us REAL,
  max_us REAL,
  PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;
)";

// The step from each version to the next; a step that was once released is never changed.
constexpr std::array kSteps{kFirst};

bool is_empty(Database& database) {
  return database.number("SELECT count(*) FROM sqlite_schema") == 0;
}

void bring_up_to_date(Database& database) {
  // Two programs may want to at once: the version is looked at again under the lock.
  Transaction transaction(database);
  const auto version = static_cast<std::size_t>(database.number("PRAGMA user_version"));
  for (std::size_t step = version; step < kSteps.size(); ++step) database.execute(kSteps[step]);
  database.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                               kHistoryApplication, kSteps.size()));
  transaction.commit();
}

}  // namespace

std::int64_t history_schema_version() { return static_cast<std::int64_t>(kSteps.size()); }

void prepare_history(Database& database, bool may_write) {
  std::int64_t application = database.number("PRAGMA application_id");
  std::int64_t version = database.number("PRAGMA user_version");
  if (!database.sound()) return;
  const bool fresh = application == 0 && version == 0 && is_empty(database);
  if (!database.sound()) return;
  // Another of ours may have made it between two of these looks.
  if (application == 0 && !fresh) {
    application = database.number("PRAGMA application_id");
    version = database.number("PRAGMA user_version");
    if (!database.sound()) return;
  }
  if (application != kHistoryApplication && !fresh)
    return database.refuse(
        Database::Trouble::other,
        fmt::format("belongs to another program (its application_id is {:#x}): move it away, or "
                    "choose another place by STALLPROOF_STATE_DIR",
                    static_cast<std::uint32_t>(application)));
  if (version > history_schema_version())
    return database.refuse(
        Database::Trouble::other,
        fmt::format("was written by a newer stallproof (schema {}, this one knows {}): take that "
                    "one, or move the file away and run `stallproof history rebuild`",
                    version, history_schema_version()));
  if (!fresh && version == history_schema_version()) return;
  if (!may_write)
    return database.refuse(Database::Trouble::other,
                           "is of an older version and may not be written here");
  bring_up_to_date(database);
}

}  // namespace stallproof
