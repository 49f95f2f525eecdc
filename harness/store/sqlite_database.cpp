// SPDX-License-Identifier: Apache-2.0
#include "harness/store/sqlite_database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <utility>

namespace stallproof {
namespace {

Database::Trouble trouble_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Database::Trouble::damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Database::Trouble::locked;
    default:
      return Database::Trouble::other;
  }
}

// A path as a file: URI, in which the option to read without locks can be given.
std::string frozen_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char letter : path) {
    if (letter == '%' || letter == '?' || letter == '#')
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(letter));
    else
      uri += letter;
  }
  return uri + "?immutable=1";
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  ::sqlite3_finalize(statement);
}

Statement& Statement::bind(std::int64_t value) {
  if (statement_) database_->check(::sqlite3_bind_int64(statement_.get(), next_parameter_, value));
  ++next_parameter_;
  return *this;
}

Statement& Statement::bind(double value) {
  if (statement_) database_->check(::sqlite3_bind_double(statement_.get(), next_parameter_, value));
  ++next_parameter_;
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  // A copy of its own: the lifetime of what callers pass ends before the step.
  if (statement_)
    database_->check(::sqlite3_bind_text64(statement_.get(), next_parameter_,
                                           value.data() == nullptr ? "" : value.data(),
                                           value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  ++next_parameter_;
  return *this;
}

Statement& Statement::bind(std::optional<double> value) {
  if (value) return bind(*value);
  ++next_parameter_;  // not bound: NULL
  return *this;
}

Statement& Statement::bind(std::optional<std::int64_t> value) {
  if (value) return bind(*value);
  ++next_parameter_;
  return *this;
}

bool Statement::step() {
  if (!statement_ || !database_->sound()) return false;
  const int code = ::sqlite3_step(statement_.get());
  return code == SQLITE_ROW || (code != SQLITE_DONE && database_->check(code));
}

void Statement::run() {
  while (step()) {
  }
  if (!statement_) return;
  ::sqlite3_reset(statement_.get());
  ::sqlite3_clear_bindings(statement_.get());
  next_parameter_ = 1;
}

std::int64_t Statement::whole(int column) const {
  return ::sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
  return ::sqlite3_column_double(statement_.get(), column);
}

std::string_view Statement::view(int column) const {
  const auto* const bytes =
      static_cast<const char*>(::sqlite3_column_blob(statement_.get(), column));
  const int size = ::sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<std::size_t>(size));
}

std::optional<double> Statement::maybe_real(int column) const {
  if (::sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return real(column);
}

std::optional<std::int64_t> Statement::maybe_whole(int column) const {
  if (::sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return whole(column);
}

void Database::Close::operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }

void Database::open(const std::string& path, Access access, Nanos patience) {
  handle_.reset();
  forgive();
  path_ = path;
  const bool frozen = access == Access::frozen;
  const int flags =
      (access == Access::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                    : SQLITE_OPEN_READONLY | (frozen ? SQLITE_OPEN_URI : 0)) |
      SQLITE_OPEN_NOMUTEX;
  sqlite3* handle = nullptr;
  const int code =
      ::sqlite3_open_v2((frozen ? frozen_uri(path) : path).c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (!check(code)) return;
  ::sqlite3_extended_result_codes(handle, 1);
  ::sqlite3_busy_timeout(handle, static_cast<int>(patience / kMillisecond));
  // A prepared statement on a damaged schema must not run what the file says.
  ::sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sound())
    check(::sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement,
                               nullptr));
  return {*this, statement};
}

void Database::execute(const std::string& sql) {
  if (sound()) check(::sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

void Database::attempt(const std::string& sql) {
  if (sound()) ::sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
}

std::int64_t Database::number(std::string_view sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.whole(0) : 0;
}

bool Database::check(int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return true;
  if (!sound()) return false;
  const char* const told = handle_ ? ::sqlite3_errmsg(handle_.get()) : ::sqlite3_errstr(code);
  const int number = handle_ ? ::sqlite3_system_errno(handle_.get()) : 0;
  const bool from_system =
      number != 0 && ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR);
  refuse(trouble_of(code), from_system ? std::strerror(number) : told);
  return false;
}

void Database::refuse(Trouble trouble, const std::string& what) {
  if (!sound()) return;
  trouble_ = trouble;
  problem_ = fmt::format("{}: {}", path_, what);
}

std::string Database::forgive() {
  trouble_ = Trouble::none;
  return std::exchange(problem_, {});
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
  open_ = database_.sound();
}

Transaction::~Transaction() {
  // After a failure too: SQLite has rolled back by itself only some of them, and closing does it.
  if (open_ && database_.sound()) database_.execute("ROLLBACK");
}

void Transaction::commit() {
  if (open_) database_.execute("COMMIT");
  open_ = false;
}

}  // namespace stallproof
