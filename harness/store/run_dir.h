// SPDX-License-Identifier: Apache-2.0
// The run directory: the truth about a run, saved in phases (start, load ended, judged) so that a
// crash leaves a usable run. Controller only. Writes block on the disk it lies on, which is why it
// is refused on the file system under test.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class RunDir {
 public:
  struct Options {
    std::string out;        // -o; empty: a new directory named by time under the state directory
    std::string name_stem;  // e.g. "mmap-lock-fault"
  };
  // Creates the directory, its events.jsonl and the `latest` link (for the default place). An
  // existing directory that already holds a verdict is refused: no result is ever overwritten.
  static Result<RunDir> create(const Options& options);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::string file(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

  // One line of JSON, appended and fsynced. Failures are remembered: first_problem().
  void append_event(std::string_view json_line);
  // As a child of the run directory; makes parent folders.
  void save(std::string_view name, std::string_view content);
  [[nodiscard]] const std::string& first_problem() const { return problem_; }

 private:
  void remember(const Result<>& result);
  std::string path_;
  std::string id_;
  Fd events_;
  std::string problem_;
};

// Where runs go by default: $STALLPROOF_STATE_DIR, /var/lib/stallproof for root, else the XDG state
// directory of the user.
std::string state_directory();

}  // namespace stallproof
