// SPDX-License-Identifier: Apache-2.0
// From the kernel's types to records, or to the reason why there are none.
#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "harness/explain/vmcore/fuse_requests.h"
#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

constexpr int kSigned = 1;  // BTF_INT_SIGNED
constexpr std::uint64_t kFiles = 0xffffffff82000000ULL;
constexpr std::uint64_t kFile = 0xffffffff83000000ULL;
constexpr std::uint64_t kInode = 0xffffffff84000000ULL;
constexpr std::uint64_t kDevice = 0xffffffff85000000ULL;

// Tables of open files, and nothing of FUSE: it is a module there.
Result<KernelBtf> kernel_types() {
  const std::unique_ptr<btf, void (*)(btf*)> types(btf__new_empty(), btf__free);
  btf* to = types.get();
  const int number = btf__add_int(to, "int", 4, kSigned);
  const int word = btf__add_int(to, "long", 8, kSigned);
  btf__add_struct(to, "task_struct", 8);
  btf__add_struct(to, "files_struct", 64);
  btf__add_field(to, "fdt", word, 0, 0);
  btf__add_struct(to, "fdtable", 16);
  btf__add_field(to, "max_fds", number, 0, 0);
  btf__add_field(to, "fd", word, 64, 0);
  btf__add_struct(to, "file", 24);
  btf__add_field(to, "f_op", word, 0, 0);
  btf__add_field(to, "f_inode", word, 64, 0);
  btf__add_field(to, "private_data", word, 128, 0);
  btf__add_struct(to, "inode", 8);
  btf__add_field(to, "i_rdev", number, 32, 0);
  std::uint32_t size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(to, &size));
  return KernelBtf::parse({raw, size});
}

// One process with one file.
MadeMemory process_with_a_file(std::uint32_t device_number) {
  MadeMemory memory;
  memory.put(kFiles, kFiles + 0x100).put(kFiles + 0x100, std::uint32_t{1});
  memory.put(kFiles + 0x108, kFiles + 0x200).put(kFiles + 0x200, kFile);
  memory.put(kFile, kFile + 0x1000).put(kFile + 8, kInode).put(kFile + 16, kDevice);
  memory.put(kInode + 4, device_number);
  return memory;
}

struct Read {
  Result<> result;
  std::vector<std::string> missing;
};

Read read(const MadeMemory& memory) {
  const auto kernel = kernel_types();
  DumpedTask task;
  task.pid = task.tgid = 7;
  task.files = kFiles;
  ScanRecords records;
  std::vector<std::string> missing;
  if (!kernel) return {Failure(kernel.error()), {}};
  Result<> result = read_fuse(memory, *kernel, SymbolBook{}, {task}, records, missing);
  return {result, missing};
}

TEST(ReadFuse, WhereNobodyServesNothingIsMissing) {
  const Read got = read(process_with_a_file(1U << 20U | 3U));
  EXPECT_TRUE(got.result) << got.result.error().what;
  EXPECT_TRUE(got.missing.empty());
}

TEST(ReadFuse, ServerWhoseTypesAreUnknownIsSaid) {
  const Read got = read(process_with_a_file(10U << 20U | 229U));
  ASSERT_FALSE(got.result);
  EXPECT_NE(got.result.error().what.find("module fuse"), std::string::npos)
      << got.result.error().what;
}

TEST(ReadFuse, OpenFilesThatAreNotInTheDumpAreSaid) {
  MadeMemory memory = process_with_a_file(10U << 20U | 229U);
  memory.forget(kFiles + 0x200, 8);
  const Read got = read(memory);
  EXPECT_TRUE(got.result);
  ASSERT_EQ(got.missing.size(), 1U);
  EXPECT_NE(got.missing[0].find("open files"), std::string::npos) << got.missing[0];
}

}  // namespace
}  // namespace stallproof
