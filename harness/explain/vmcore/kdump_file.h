// SPDX-License-Identifier: Apache-2.0
// A dump file through libkdumpfile: formats, compression and address translation are its work.
// Reads block. That library trusts its input in places: open it in a child with a deadline.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_memory.h"

struct _kdump_ctx;

namespace stallproof {

class KdumpFile final : public KernelMemory {
 public:
  static Result<std::unique_ptr<KdumpFile>> open(const std::string& path);
  ~KdumpFile() override;
  KdumpFile(const KdumpFile&) = delete;
  KdumpFile& operator=(const KdumpFile&) = delete;

  bool read(std::uint64_t address, void* into, std::size_t size) const override;
  [[nodiscard]] std::optional<CpuRegisters> registers(std::int32_t cpu) const override;
  [[nodiscard]] const std::string& vmcoreinfo() const { return vmcoreinfo_; }
  // What the file did not give although it should have it, first time: cut short, damaged, or
  // compressed in an unknown form. Empty when all went well.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  KdumpFile() = default;
  Result<> attach(const std::string& path);
  const std::uint8_t* page(std::uint64_t number) const;

  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kPages = 512;
  struct Page {
    std::uint64_t number = 0;  // address / 4096; 0: empty
    bool there = false;
    std::array<std::uint8_t, kPageBytes> bytes;
  };

  _kdump_ctx* context_ = nullptr;
  Fd file_;
  std::string vmcoreinfo_;
  mutable std::string trouble_;
  mutable std::vector<Page> pages_ = std::vector<Page>(kPages);
};

}  // namespace stallproof
