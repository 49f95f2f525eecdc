// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/module_file.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace stallproof {
namespace {

// A relocatable file: sections one after the other, their names in the last one.
class MadeModule {
 public:
  MadeModule() { add("", SHT_NULL, 0, 0, {}); }

  std::uint16_t add(const std::string& name, std::uint32_t type, std::uint64_t flags,
                    std::uint64_t align, const std::string& content, std::uint32_t link = 0) {
    Elf64_Shdr section{};
    section.sh_name = static_cast<std::uint32_t>(names_.size());
    section.sh_type = type;
    section.sh_flags = flags;
    section.sh_addralign = align;
    section.sh_offset = sizeof(Elf64_Ehdr) + body_.size();
    section.sh_size = content.size();
    section.sh_link = link;
    names_ += name + '\0';
    body_ += content;
    sections_.push_back(section);
    return static_cast<std::uint16_t>(sections_.size() - 1);
  }

  void symbol(const std::string& name, std::uint16_t section, std::uint64_t value,
              unsigned char type = STT_FUNC) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<std::uint32_t>(strings_.size());
    symbol.st_info = type;
    symbol.st_shndx = section;
    symbol.st_value = value;
    strings_ += name + '\0';
    symbols_.append(reinterpret_cast<const char*>(&symbol), sizeof(symbol));
  }

  std::string bytes() {
    const std::uint16_t strings = add(".strtab", SHT_STRTAB, 0, 1, strings_);
    add(".symtab", SHT_SYMTAB, 0, 8, symbols_, strings);
    const std::uint16_t own = add(".shstrtab", SHT_STRTAB, 0, 1, names_ + ".shstrtab" + '\0');
    Elf64_Ehdr head{};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_type = ET_REL;
    head.e_machine = EM_X86_64;
    head.e_shoff = sizeof(head) + body_.size();
    head.e_shentsize = sizeof(Elf64_Shdr);
    head.e_shnum = static_cast<std::uint16_t>(sections_.size());
    head.e_shstrndx = own;
    std::string out(reinterpret_cast<const char*>(&head), sizeof(head));
    out += body_;
    out.append(reinterpret_cast<const char*>(sections_.data()),
               sections_.size() * sizeof(Elf64_Shdr));
    return out;
  }

 private:
  std::vector<Elf64_Shdr> sections_;
  std::string names_, body_, symbols_, strings_ = std::string(1, '\0');
};

constexpr std::uint64_t kCode = SHF_ALLOC | SHF_EXECINSTR;

// .text of 0x21 bytes, thrown away .init.text, .exit.text that begins at the next multiple of 16.
std::string made() {
  MadeModule module;
  const auto text = module.add(".text", SHT_PROGBITS, kCode, 16, std::string(0x21, 'x'));
  const auto init = module.add(".init.text", SHT_PROGBITS, kCode, 1, std::string(0x40, 'x'));
  const auto data = module.add(".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8, "12345678");
  const auto exit = module.add(".exit.text", SHT_PROGBITS, kCode, 16, std::string(0x10, 'x'));
  const std::string about = std::string("license=GPL") + '\0' + "srcversion=8316CDE" + '\0';
  module.add(".modinfo", SHT_PROGBITS, SHF_ALLOC, 1, about);
  module.symbol("ffs_fault", text, 0x10);
  module.symbol("init_module", init, 0);
  module.symbol("counters", data, 0, STT_OBJECT);
  module.symbol("cleanup_module", exit, 4);
  return module.bytes();
}

TEST(ModuleFile, FunctionsLieWhereTheLoaderPutsThem) {
  const std::string bytes = made();
  const auto module = parse_module_file(bytes);
  ASSERT_TRUE(module) << module.error().what;
  EXPECT_EQ(module->code_bytes, 0x40U);
  EXPECT_EQ(module->srcversion, "8316CDE");
  ASSERT_EQ(module->functions.size(), 2U);
  EXPECT_EQ(module->functions[0].name, "ffs_fault");
  EXPECT_EQ(module->functions[0].offset, 0x10U);
  EXPECT_EQ(module->functions[1].name, "cleanup_module");
  EXPECT_EQ(module->functions[1].offset, 0x34U);
}

TEST(ModuleFile, WhatIsNoModuleIsAnError) {
  EXPECT_FALSE(parse_module_file(""));
  EXPECT_FALSE(parse_module_file("#!/bin/sh\n"));
  std::string arm = made();
  arm[18] = static_cast<char>(EM_AARCH64);
  EXPECT_FALSE(parse_module_file(arm));
}

TEST(ModuleFile, CutsAndFlippedBytesNeverCrash) {
  const std::string good = made();
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(parse_module_file(std::string_view(good).substr(0, size))) << size;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x7f);
    const auto module = parse_module_file(bytes);
    EXPECT_TRUE(!module || !module->functions.empty()) << i;
  }
}

TEST(ModuleFile, IsFoundBelowAFolderByItsName) {
  std::string folder = ::testing::TempDir() + "stallproof-modules-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::filesystem::create_directories(folder + "/extra/ffs");
  for (const char* name : {"/extra/ffs/ffs-stub.ko", "/extra/fuse.ko.xz", "/extra/fuse2.ko"})
    std::ofstream(folder + name) << "x";
  EXPECT_EQ(find_module_file(folder, "ffs_stub").path, folder + "/extra/ffs/ffs-stub.ko");
  const FoundModule packed = find_module_file(folder, "fuse");
  EXPECT_EQ(packed.path, "");
  EXPECT_EQ(packed.packed, folder + "/extra/fuse.ko.xz");
  EXPECT_EQ(find_module_file(folder + "/none", "fuse").path, "");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace stallproof
