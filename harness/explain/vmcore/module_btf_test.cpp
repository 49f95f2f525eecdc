// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/module_btf.h"

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "harness/explain/vmcore/fuse_layout.h"
#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

using Types = std::unique_ptr<btf, void (*)(btf*)>;

constexpr int kSigned = 1;  // BTF_INT_SIGNED
constexpr std::uint64_t kHead = 0xffffffff82000000ULL;
constexpr std::uint64_t kData = 0xffffffff83000000ULL;

std::vector<std::byte> bytes_of(const Types& types) {
  std::uint32_t size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(types.get(), &size));
  return {raw, raw + size};
}

// What the list of modules' BTF is made of, and what FUSE takes from the kernel.
Types kernel_types() {
  Types types(btf__new_empty(), btf__free);
  btf* to = types.get();
  const int number = btf__add_int(to, "int", 4, kSigned);
  const int word = btf__add_int(to, "long", 8, kSigned);
  btf__add_struct(to, "list_head", 16);
  btf__add_field(to, "next", word, 0, 0);
  btf__add_struct(to, "task_struct", 8);
  btf__add_struct(to, "pid_namespace", 8);
  btf__add_field(to, "level", number, 32, 0);
  const int list = btf__find_by_name(to, "list_head");
  btf__add_struct(to, "btf_module", 32);
  btf__add_field(to, "list", list, 0, 0);
  btf__add_field(to, "btf", word, 192, 0);
  btf__add_struct(to, "btf", 96);
  btf__add_field(to, "data", word, 0, 0);
  btf__add_field(to, "data_size", number, 64, 0);
  btf__add_field(to, "name", word, 128, 0);
  return types;
}

// FUSE's, with lists of the kernel's type.
std::vector<std::byte> fuse_types(const Types& kernel) {
  const Types types(btf__new_empty_split(kernel.get()), btf__free);
  btf* to = types.get();
  const int word = btf__find_by_name(kernel.get(), "long");
  const int list = btf__find_by_name(kernel.get(), "list_head");
  const int pointer = btf__add_ptr(to, list);
  const int queue = btf__add_struct(to, "fuse_pqueue", 32);
  btf__add_field(to, "processing", pointer, 64, 0);
  btf__add_field(to, "io", list, 128, 0);
  btf__add_struct(to, "fuse_dev", 48);
  btf__add_field(to, "fc", word, 0, 0);
  btf__add_field(to, "pq", queue, 128, 0);
  const int input = btf__add_struct(to, "fuse_iqueue", 16);
  btf__add_field(to, "pending", list, 0, 0);
  btf__add_struct(to, "fuse_conn", 64);
  btf__add_field(to, "dev", word, 0, 0);
  btf__add_field(to, "num_waiting", word, 64, 0);
  btf__add_field(to, "iq", input, 128, 0);
  btf__add_field(to, "bg_queue", list, 256, 0);
  btf__add_field(to, "pid_ns", word, 384, 0);
  const int header = btf__add_struct(to, "fuse_in_header", 24);
  btf__add_field(to, "opcode", word, 0, 0);
  btf__add_field(to, "unique", word, 64, 0);
  btf__add_field(to, "pid", word, 128, 0);
  const int in = btf__add_struct(to, "", 24);
  btf__add_field(to, "h", header, 0, 0);
  btf__add_struct(to, "fuse_req", 48);
  btf__add_field(to, "list", list, 0, 0);
  btf__add_field(to, "in", in, 128, 0);
  return bytes_of(types);
}

// Two modules in the list; the second is FUSE.
MadeMemory memory_with(const std::vector<std::byte>& fuse) {
  MadeMemory memory;
  const std::uint64_t nodes[] = {kHead + 0x1000, kHead + 0x2000};
  memory.put(kHead, nodes[0]).put(nodes[0], nodes[1]).put(nodes[1], kHead);
  const char* names[] = {"ext4", "fuse"};
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t own = nodes[i] + 0x100;
    memory.put(nodes[i] + 24, own).put(own, kData + static_cast<std::uint64_t>(i) * 0x100000);
    memory.put(own + 8, static_cast<std::uint32_t>(fuse.size()));
    memory.zeros(own + 16, 64).put_text(own + 16, names[i]);
  }
  for (std::size_t i = 0; i < fuse.size(); ++i) memory.put(kData + 0x100000 + i, fuse[i]);
  return memory;
}

SymbolBook book_with(std::uint64_t head) {
  SymbolBook book;
  if (head != 0) book.add_variable("btf_modules", head);
  return book;
}

TEST(ModuleBtf, TypesOfFuseAreFoundThroughThoseOfTheKernel) {
  const Types types = kernel_types();
  const auto kernel = KernelBtf::parse(bytes_of(types));
  ASSERT_TRUE(kernel) << kernel.error().what;
  const auto fuse =
      read_module_btf(memory_with(fuse_types(types)), *kernel, book_with(kHead), "fuse");
  ASSERT_TRUE(fuse) << fuse.error().what;
  const auto layout = FuseLayout::of(*kernel, *fuse);
  ASSERT_TRUE(layout) << layout.error().what;
  EXPECT_EQ(layout->dev_processing, 24U);
  EXPECT_EQ(layout->dev_io, 32U);
  EXPECT_TRUE(layout->hashed);
  EXPECT_EQ(layout->conn_pending, 16U);
  EXPECT_EQ(layout->req_unique, 24U);
  EXPECT_EQ(layout->pid_ns_level, 4U);
  EXPECT_FALSE(layout->conn_ring);
}

TEST(ModuleBtf, WhatIsMissingIsNamed) {
  const Types types = kernel_types();
  const auto kernel = KernelBtf::parse(bytes_of(types));
  ASSERT_TRUE(kernel);
  const MadeMemory memory = memory_with(fuse_types(types));
  const auto other = read_module_btf(memory, *kernel, book_with(kHead), "xfs");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().what.find("module xfs"), std::string::npos) << other.error().what;
  EXPECT_FALSE(read_module_btf(memory, *kernel, book_with(0), "fuse"));
  EXPECT_FALSE(read_module_btf(memory, *kernel, book_with(kHead), "ext4"));  // not in the dump
  const auto none = FuseLayout::of(*kernel, *kernel);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().what.find("fuse_dev.fc"), std::string::npos) << none.error().what;
}

TEST(ModuleBtf, EveryCutAndFlippedByteIsAnErrorOrHarmless) {
  const Types types = kernel_types();
  const auto kernel = KernelBtf::parse(bytes_of(types));
  ASSERT_TRUE(kernel);
  const auto good = fuse_types(types);
  for (std::size_t size = 0; size < good.size(); size += 7)
    EXPECT_FALSE(KernelBtf::parse_split(std::span(good).first(size), *kernel)) << size;
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bytes = good;
    bytes[i] ^= std::byte{0xff};
    const auto fuse = KernelBtf::parse_split(bytes, *kernel);
    if (fuse) static_cast<void>(FuseLayout::of(*kernel, *fuse));
  }
}

}  // namespace
}  // namespace stallproof
