// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "harness/base/file.h"
#include "harness/store/history_insert.h"
#include "harness/store/history_schema.h"

namespace stallproof {
namespace {

constexpr Nanos kPatience = kSecond;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// history.db.damaged-20261126-101500: never over an earlier one.
std::string place_aside(const std::string& file) {
  const auto now = static_cast<time_t>(realtime_now() / kSecond);
  tm local{};
  ::localtime_r(&now, &local);
  const std::string stem =
      fmt::format("{}.damaged-{:04}{:02}{:02}-{:02}{:02}{:02}", file, local.tm_year + 1900,
                  local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
  std::string place = stem;
  for (int n = 2; exists(place); ++n) place = fmt::format("{}-{}", stem, n);
  return place;
}

Result<std::string> put_aside(const std::string& file) {
  const std::string place = place_aside(file);
  if (::rename(file.c_str(), place.c_str()) != 0)
    return fail_errno(fmt::format("rename {} to {}", file, place), errno);
  // What SQLite keeps beside a file belongs to it alone: a new file must not find it.
  for (const char* beside : {"-wal", "-shm", "-journal"})
    ::rename((file + beside).c_str(), (place + beside).c_str());
  return place;
}

}  // namespace

std::string history_file(const std::string& state) { return state + "/history.db"; }

void History::open_database() {
  const std::string file = history_file(state_);
  can_write_ = make_directories(state_).has_value() && ::access(state_.c_str(), W_OK) == 0 &&
               (!exists(file) || ::access(file.c_str(), W_OK) == 0);
  if (!can_write_) return open_unwritable();
  database_.open(file, Database::Access::read_write, kPatience);
  prepare_history(database_, true);
  // Readers and one writer at once. Some file systems cannot; then they take turns.
  database_.attempt("PRAGMA journal_mode = WAL");
  // All of some ten thousand runs fits: a query reads each page once.
  database_.execute(
      "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384");
}

void History::open_unwritable() {
  const std::string file = history_file(state_);
  if (!exists(file)) {
    in_memory_ = true;
    database_.open_in_memory();
    return prepare_history(database_, true);
  }
  database_.open(file, Database::Access::read, kPatience);
  prepare_history(database_, false);
  if (database_.sound() || database_.trouble() != Database::Trouble::other) return;
  database_.open(file, Database::Access::frozen, kPatience);
  prepare_history(database_, false);
}

Result<std::unique_ptr<History>> History::open(const std::string& state) {
  std::unique_ptr<History> history(new History(state));
  history->open_database();
  if (auto failed = history->failure(); !failed) return Failure(failed.error());
  return history;
}

Result<std::unique_ptr<History>> History::open_undamaged(const std::string& state,
                                                         std::string& aside) {
  std::unique_ptr<History> history(new History(state));
  history->open_database();
  Database& database = history->database_;
  if (database.sound()) {
    Statement check = database.prepare("PRAGMA quick_check(1)");
    if (check.step() && check.text(0) != "ok")
      database.refuse(Database::Trouble::damaged, check.text(0));
  }
  if (database.trouble() == Database::Trouble::damaged && history->can_write_) {
    history.reset();
    const auto place = put_aside(history_file(state));
    if (!place) return Failure(place.error());
    aside = *place;
    return open(state);
  }
  if (auto failed = history->failure(); !failed) return Failure(failed.error());
  return history;
}

Result<> History::put(const HistoryEntry& entry) {
  if (!keeps_what_it_adds()) return fail(history_file(state_) + ": cannot be written");
  Transaction transaction(database_);
  HistoryInsert insert(database_);
  insert.put(entry);
  transaction.commit();
  return failure();
}

Result<> History::failure() const {
  switch (database_.trouble()) {
    case Database::Trouble::none:
      return {};
    case Database::Trouble::damaged:
      return fail(database_.problem() +
                  " (`stallproof history rebuild` makes it anew from the run directories)");
    case Database::Trouble::locked:
      return fail(database_.problem() + " (another program writes to it: try again)",
                  Origin::infra);
    case Database::Trouble::other:
      return fail(database_.problem());
  }
  return {};
}

}  // namespace stallproof
