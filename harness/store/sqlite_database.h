// SPDX-License-Identifier: Apache-2.0
// SQLite as values. The first failure is remembered, all later calls do nothing, and whoever used
// the database asks problem() once at the end. One thread; blocks on the disk, and on another
// process's lock for the time given to open(). Nothing throws.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/clock.h"
#include "harness/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace stallproof {

class Database;

// One SQL statement; columns and parameters count from 0. Must not outlive its database.
class Statement {
 public:
  // The next parameter, in order.
  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view value);
  Statement& bind(std::optional<double> value);
  Statement& bind(std::optional<std::int64_t> value);
  // True while there is a row; its columns are valid until the next call.
  bool step();
  // Executes it, and makes it ready for other parameters.
  void run();

  [[nodiscard]] std::int64_t whole(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const { return std::string(view(column)); }
  // Valid until the next step().
  [[nodiscard]] std::string_view view(int column) const;
  [[nodiscard]] std::optional<double> maybe_real(int column) const;
  [[nodiscard]] std::optional<std::int64_t> maybe_whole(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}
  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_parameter_ = 1;
};

class Database {
 public:
  enum class Access {
    read_write,  // made when missing
    read,
    frozen,  // read without a lock or a file beside it, where nothing can be written
  };
  enum class Trouble { none, damaged, locked, other };

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() = default;

  void open(const std::string& path, Access access, Nanos patience);
  // For one process, without a file. An earlier one is closed by both.
  void open_in_memory() { open(":memory:", Access::read_write, 0); }
  Statement prepare(std::string_view sql);
  // Any number of statements without parameters.
  void execute(const std::string& sql);
  // The same, where it does not matter whether it succeeds.
  void attempt(const std::string& sql);
  // The number that a statement gives, 0 when it gives none.
  std::int64_t number(std::string_view sql);

  [[nodiscard]] bool sound() const { return trouble_ == Trouble::none; }
  [[nodiscard]] Trouble trouble() const { return trouble_; }
  // "PATH: database disk image is malformed"; empty while sound.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // For what is found wrong with the content.
  void refuse(Trouble trouble, const std::string& what);
  // The problem, for whoever goes on without what failed: the database is sound again.
  std::string forgive();

 private:
  friend class Statement;
  // Remembers the failure that `code` is, if it is one.
  bool check(int code);
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_, problem_;
  Trouble trouble_ = Trouble::none;
};

// BEGIN IMMEDIATE; rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = false;
};

}  // namespace stallproof
