// SPDX-License-Identifier: Apache-2.0
// I/O with data validation, of the psync engine: a read is checked against the keys of its blocks,
// a write is preceded by such a read and may be followed by one. At most one I/O is under way on a
// key block. What is found is a fault of kind kCorruption in the panel, once: bad blocks are not
// touched again. Sizes and offsets in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "harness/base/prng.h"
#include "harness/base/result.h"
#include "workloads/io/io_stream.h"
#include "workloads/io/key_map.h"
#include "workloads/io/validation_block.h"

namespace stallproof {

struct BadBlock;
struct EngineContext;
struct EngineThread;

// What a worker's threads share.
struct Validation {
  KeyMaps maps;
  ValidationPattern pattern;
};

// From the inherited descriptor of the maps; refuses a job that they do not fit. Only psync can
// validate: the controller does not ask io_uring to.
Result<std::unique_ptr<Validation>> attach_validation(const IoJob& job, int maps_fd);

// Each of the file's largest transfer.
struct IoBuffers {
  std::byte* read = nullptr;
  std::byte* write = nullptr;
};

// One thread. What is of a transfer beyond the file's last whole key block is not checked.
class ValidatedIo {
 public:
  // Makes one I/O from or into the buffers, tells board and panel; 0, or why it failed.
  using OneIo = std::function<int(const IoRequest&)>;

  ValidatedIo(EngineContext& context, const EngineThread& thread, IoBuffers buffers, OneIo one_io);

  // Makes `io`, or another of its stream when its blocks are busy or bad, and what belongs to it.
  // Blocks until there is one; makes none when the run or the stream ends before that.
  void make(IoRequest io, Chooser& chooser);

 private:
  bool acquire(IoRequest& io, Chooser& chooser);
  void find_blocks(const IoRequest& io);
  // True when nothing but good blocks was read; else the blocks that are not are bad now.
  bool read_and_check(const IoRequest& io, LastUse use);
  void preread_and_write(const IoRequest& io);
  void write(const IoRequest& io);
  [[nodiscard]] BlockIdentity identity_of(std::size_t index) const;
  [[nodiscard]] BlockReport checked(std::size_t index) const;
  void report_bad_blocks(const IoRequest& io, LastUse use, std::uint32_t bad);
  void give_up(std::size_t index);
  void give_up_all();
  void note_use(std::size_t index, LastUse use, std::uint64_t now_ms);

  EngineContext& context_;
  std::uint32_t slot_number_;
  KeyMap map_;
  std::uint32_t block_size_;
  std::array<char, 8> name_;
  IoBuffers buffers_;
  OneIo one_io_;
  Prng prng_;
  // Of the I/O under way: its blocks, their keys as they were and as they are now.
  std::uint64_t first_ = 0;
  std::vector<std::uint8_t> before_, keys_;
};

}  // namespace stallproof
