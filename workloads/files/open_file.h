// SPDX-License-Identifier: Apache-2.0
// A file that a thread works on: where its next transfer goes, and when it has had enough of them.
// By one thread, which has taken the file in its AnchorTree.
#pragma once

#include <cstdint>
#include <memory>

#include "workloads/files/operation.h"

namespace stallproof {

enum class Transfer { read, write };

// One of the sizes, by its share.
std::uint32_t drawn_size(const std::vector<double>& xfersizes, Prng& prng);

class OpenFile {
 public:
  // Nothing when it cannot be opened; then the file is no longer taken. `to_read`: by no one else
  // but readers. Empty files are made.
  static std::unique_ptr<OpenFile> open(FileCalls& calls, const JobFileWorkload& workload,
                                        std::uint32_t anchor, FileNumber file, bool to_read);
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  [[nodiscard]] FileNumber file() const { return file_; }
  // Begins at a whole number of transfers before the end of what is there.
  void continue_from_end(std::uint32_t size);
  // Each chooses the place of the next transfer; the last one of a file is shorter. False: at the
  // end.
  bool place_next(Transfer kind, std::uint32_t size);
  bool place_at_random(Transfer kind, std::uint32_t size, Prng& prng);
  // As chosen; errors are counted and survived.
  void make(Transfer kind);
  // The same place and size as another one's.
  void make_at(const OpenFile& other, Transfer kind);
  [[nodiscard]] bool enough() const { return enough_; }
  // It is no longer taken then.
  void close(bool and_remove = false);

 private:
  OpenFile(FileCalls& calls, const JobFileWorkload& workload, std::uint32_t anchor,
           FileNumber file);
  [[nodiscard]] std::uint64_t end_for(Transfer kind) const;
  [[nodiscard]] bool cut(std::uint64_t end);
  void settle_limits();

  FileCalls& calls_;
  const JobFileWorkload& workload_;
  AnchorTree& tree_;
  Target target_;
  FileNumber file_;
  int fd_ = -1;
  std::uint64_t at_ = 0, written_to_ = 0;
  std::uint32_t size_ = 0, before_ = 0;
  std::uint64_t transfers_ = 0, bytes_ = 0;
  std::uint64_t most_transfers_ = ~std::uint64_t{0}, most_bytes_ = ~std::uint64_t{0};
  bool enough_ = false;
};

}  // namespace stallproof
