// SPDX-License-Identifier: Apache-2.0
// What a file is that somebody wants explained, by its content alone. Pure and total.
#pragma once

#include <string_view>

namespace stallproof {

enum class InputKind {
  snapshot,      // snapshot.json of an incident or a capture
  explanation,   // explanation.json
  verdict,       // verdict.json
  archive,       // gzip: a capture's .tar.gz, or a compressed text
  crash_text,    // output of the crash utility
  kernel_log,    // dmesg, journal, serial console, sysrq
  vmcore,        // a memory image: ELF core, makedumpfile, diskdump
  fs_knowledge,  // a file-system file for --fs
  empty,
  unknown
};

InputKind recognise(std::string_view content);
// For people: "output of crash".
std::string_view kind_name(InputKind kind);

}  // namespace stallproof
