// SPDX-License-Identifier: Apache-2.0
// The run directory: the truth about a run, saved in phases (start, load ended, judged) so that a
// crash leaves a usable run. Controller only. Writes block on the disk it lies on, which is why it
// is refused on the file system under test.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/store/verdict.h"

namespace stallproof {

class RunDir {
 public:
  struct Options {
    std::string out;        // -o; empty: a new directory named by time under the state directory
    std::string name_stem;  // e.g. "mmap-lock-fault"
    std::map<std::string, std::string> labels;
    // By what the run is judged; absent: it judges nothing itself.
    std::optional<RunThresholds> thresholds{};
  };
  // Creates the directory, its events.jsonl and the `latest` link (for the default place), and
  // holds it for as long as the RunDir lives. One that another run holds, or that has the events or
  // the verdict of one, is refused: no result is ever overwritten.
  static Result<RunDir> create(const Options& options);
  RunDir(RunDir&&) = default;
  RunDir& operator=(RunDir&&) = default;
  ~RunDir();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::map<std::string, std::string>& labels() const { return labels_; }
  [[nodiscard]] const std::optional<RunThresholds>& thresholds() const { return thresholds_; }
  // When it was made, RFC 3339.
  [[nodiscard]] const std::string& made() const { return made_; }
  [[nodiscard]] std::string file(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

  // One line of JSON, appended and fsynced. Failures are remembered: first_problem().
  void append_event(std::string_view json_line);
  // Every event from now on also goes there, without its line end.
  void echo_events(std::function<void(std::string_view)> to) { echo_ = std::move(to); }
  // As a child of the run directory; makes parent folders.
  void save(std::string_view name, std::string_view content);
  [[nodiscard]] const std::string& first_problem() const { return problem_; }
  // Some room on the disk was kept for the end of the run, where there is enough of it: the verdict
  // shall find it.
  void free_reserve();
  // The first failure of whatever belongs to the run: a verdict says it.
  void remember(const Result<>& result);

 private:
  RunDir() = default;
  std::string path_;
  std::string id_;
  Fd lock_;
  std::map<std::string, std::string> labels_;
  std::optional<RunThresholds> thresholds_;
  std::string made_;
  Fd events_;
  std::function<void(std::string_view)> echo_;
  std::string problem_;
};

// Some controller of this machine writes there now. The lock is on the directory itself, so that no
// lock file is left in it.
bool run_is_held(const std::string& directory);

// Where runs go by default: $STALLPROOF_STATE_DIR, /var/lib/stallproof for root, else the XDG state
// directory of the user.
std::string state_directory();

}  // namespace stallproof
