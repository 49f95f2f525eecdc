// SPDX-License-Identifier: Apache-2.0
// One thread of a workload: each turn is one requested operation, composed of calls as vdbench
// composes it. A read or write is one transfer; the file around it is opened, and closed when it
// has had enough.
#pragma once

#include <memory>
#include <optional>

#include "workloads/files/open_file.h"

namespace stallproof {

class FileTurns {
 public:
  FileTurns(FileContext& context, const FileThread& thread);
  // Until the workload has nothing left to do, or the run ends.
  void run();

 private:
  enum class Fit { take, skip, stop };  // of a file or folder that was chosen

  bool one_turn();  // false: nothing is left
  bool transfer_turn(Transfer kind, bool to_read);
  bool create_turn();
  bool delete_turn();
  bool copy_turn(bool and_remove);
  bool open_turn(bool to_read);
  bool attribute_turn(int (FileCalls::*call)(const Target&));
  bool make_folder_turn();
  bool remove_folder_turn();

  // A file that is taken, alone or not.
  template <class Judge>
  std::optional<FileNumber> find_file(bool alone, Judge judge);
  template <class Judge>
  std::optional<FolderNumber> find_folder(Judge judge);
  std::optional<FileNumber> find_to_read();
  std::optional<FileNumber> find_existing(bool alone);
  std::optional<FileNumber> find_to_write();
  [[nodiscard]] bool more_files_may_come() const;
  [[nodiscard]] bool more_folders_may_come() const;
  // A file or folder could not be used; false when that goes on for good.
  bool blocked(bool busy);
  [[nodiscard]] std::uint64_t work_of_all(bool& any_in_flight) const;
  void copy_all(OpenFile& from, OpenFile& to);

  FileContext& context_;
  const JobFileWorkload& workload_;
  std::uint32_t workload_number_;
  AnchorTree& tree_;
  FileCalls calls_;
  Prng prng_;
  FileChoice choice_;
  std::unique_ptr<OpenFile> open_;
  std::uint64_t blocks_ = 0;         // since the last turn
  std::uint64_t work_at_block_ = 0;  // of all threads, when they last moved
  Nanos blocked_since_ = 0;
};

}  // namespace stallproof
