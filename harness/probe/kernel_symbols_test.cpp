// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/kernel_symbols.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace stallproof {
namespace {

constexpr std::string_view kText =
    "0000000000000000 A fixed_percpu_data\n"
    "ffffffff81000000 T _stext\n"
    "ffffffff81000000 T do_one\n"
    "ffffffff81000400 t do_two\n"
    "ffffffff81000800 D data_not_text\n"
    "ffffffff81000c00 W do_three\n"
    "ffffffffc0001000 t fuse_get_req\t[fuse]\n"
    "ffffffffc0002000 t nfs_wait\t[nfs]\n"
    "ffffffffc0001800 t fuse_dev_read\t[fuse]\n";

TEST(KernelSymbols, AddressInsideAFunctionGivesNameAndOffset) {
  const auto symbols = KernelSymbols::from_text(kText, "6.1.0");
  ASSERT_TRUE(symbols) << symbols.error().what;
  const auto found = symbols->find(0xffffffff81000410ULL);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->function, "do_two");
  EXPECT_EQ(found->module, "");
  EXPECT_EQ(found->offset, 0x10U);
  EXPECT_EQ(symbols->kernel_release(), "6.1.0");
}

TEST(KernelSymbols, FunctionWinsOverTheSectionMarkAtItsAddress) {
  const auto symbols = KernelSymbols::from_text(kText);
  ASSERT_TRUE(symbols);
  EXPECT_EQ(symbols->find(0xffffffff81000000ULL)->function, "do_one");
}

TEST(KernelSymbols, ModuleIsNamedAndUnsortedInputIsSorted) {
  const auto symbols = KernelSymbols::from_text(kText);
  ASSERT_TRUE(symbols);
  EXPECT_EQ(symbols->find(0xffffffffc0001900ULL)->function, "fuse_dev_read");
  EXPECT_EQ(symbols->find(0xffffffffc0001900ULL)->module, "fuse");
  EXPECT_EQ(symbols->find(0xffffffffc0002000ULL)->module, "nfs");
}

TEST(KernelSymbols, AddressesThatBelongToNobodyAreNotNamed) {
  const auto symbols = KernelSymbols::from_text(kText);
  ASSERT_TRUE(symbols);
  EXPECT_FALSE(symbols->find(0x1000));
  EXPECT_FALSE(symbols->find(0xffffffff90000000ULL));
}

TEST(KernelSymbols, DataIsNotTakenForAFunction) {
  const auto symbols = KernelSymbols::from_text(kText);
  ASSERT_TRUE(symbols);
  EXPECT_EQ(symbols->find(0xffffffff81000810ULL)->function, "do_two");
}

TEST(KernelSymbols, HiddenAddressesAreAnErrorThatSaysWhatToTry) {
  const auto symbols = KernelSymbols::from_text("0000000000000000 T do_one\n");
  ASSERT_FALSE(symbols);
  EXPECT_NE(symbols.error().what.find("kptr_restrict"), std::string::npos);
  EXPECT_EQ(symbols.error().origin, Origin::lacking);
}

TEST(KernelSymbols, NothingListedIsAnError) {
  EXPECT_FALSE(KernelSymbols::from_text(""));
  EXPECT_FALSE(KernelSymbols::from_text("nonsense\n"));
  EXPECT_FALSE(KernelSymbols::load("/nonexistent/kallsyms"));
}

TEST(KernelSymbols, StaysWithinItsMemory) {
  std::string text;
  for (unsigned i = 0; i < 250'000; ++i) {
    char line[96];
    std::snprintf(line, sizeof(line), "ffffffff8%07x t some_function_of_usual_length_%u\n", i * 64,
                  i);
    text += line;
  }
  const auto symbols = KernelSymbols::from_text(text);
  ASSERT_TRUE(symbols);
  EXPECT_EQ(symbols->size(), 250'000U);
  EXPECT_LE(symbols->bytes(), 16U << 20U);
}

}  // namespace
}  // namespace stallproof
