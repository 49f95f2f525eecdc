// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/kernel_btf.h"

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

constexpr int kSigned = 1;  // BTF_INT_SIGNED

// struct task_struct { int pid; union { long a; int b; }; struct thread { long sp; } thread; };
std::vector<std::byte> made() {
  const std::unique_ptr<btf, void (*)(btf*)> types(btf__new_empty(), btf__free);
  btf* to = types.get();
  const int number = btf__add_int(to, "int", 4, kSigned);
  const int word = btf__add_int(to, "long", 8, kSigned);
  const int either = btf__add_union(to, "", 8);
  btf__add_field(to, "a", word, 0, 0);
  btf__add_field(to, "b", number, 0, 0);
  const int thread = btf__add_struct(to, "thread", 16);
  btf__add_field(to, "sp", word, 64, 0);
  const int renamed = btf__add_typedef(to, "thread_t", thread);
  btf__add_struct(to, "task_struct", 32);
  btf__add_field(to, "pid", number, 0, 0);
  btf__add_field(to, "", either, 64, 0);
  btf__add_field(to, "thread", renamed, 128, 0);
  btf__add_enum(to, "fault_flag", 4);
  btf__add_enum_value(to, "FAULT_FLAG_TRIED", 32);
  std::uint32_t size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(to, &size));
  return {raw, raw + size};
}

TEST(KernelBtf, FieldsAreFoundThroughMembersAndNamelessUnions) {
  const auto btf = KernelBtf::parse(made());
  ASSERT_TRUE(btf) << btf.error().what;
  EXPECT_EQ(btf->offset("task_struct", {"pid"}), 0U);
  EXPECT_EQ(btf->offset("task_struct", {"b"}), 8U);
  EXPECT_EQ(btf->offset("task_struct", {"thread.sp"}), 24U);
  EXPECT_EQ(btf->size("task_struct"), 32U);
  EXPECT_EQ(btf->enum_value("fault_flag", "FAULT_FLAG_TRIED"), 32U);
  EXPECT_EQ(btf->member_type("task_struct", "thread"), "thread_t");
}

TEST(KernelBtf, RenamedFieldIsFoundByItsOtherName) {
  const auto btf = KernelBtf::parse(made());
  EXPECT_EQ(btf->offset("task_struct", {"__pid", "pid"}), 0U);
  EXPECT_FALSE(btf->offset("task_struct", {"__pid"}));
  EXPECT_FALSE(btf->offset("no_such", {"pid"}));
  EXPECT_FALSE(btf->offset("task_struct", {"pid.x"}));
}

TEST(KernelBtf, IsFoundInMemoryByLookingForIt) {
  const auto bytes = made();
  constexpr std::uint64_t kText = 0xffffffff81000000ULL;
  MadeMemory memory;
  memory.zeros(kText + 4096, 3 * 4096);
  for (std::size_t i = 0; i < bytes.size(); ++i) memory.put(kText + 8192 + 64 + i, bytes[i]);
  // Looks like one, and is none.
  memory.put(kText + 4096, std::uint64_t{0x180001eb9fULL | std::uint64_t{24} << 32U});
  const auto found = KernelBtf::find(memory, kText);
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->size("task_struct"), 32U);
}

TEST(KernelBtf, EveryCutIsAnError) {
  const auto bytes = made();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(KernelBtf::parse(std::span(bytes).first(size))) << size;
}

TEST(KernelBtf, FlippedBytesNeverCrash) {
  const auto good = made();
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bytes = good;
    bytes[i] ^= std::byte{0xff};
    const auto btf = KernelBtf::parse(bytes);
    if (!btf) continue;
    static_cast<void>(btf->offset("task_struct", {"thread.sp", "b"}));
    static_cast<void>(btf->enum_value("fault_flag", "FAULT_FLAG_TRIED"));
    static_cast<void>(btf->member_type("task_struct", "thread"));
  }
}

}  // namespace
}  // namespace stallproof
