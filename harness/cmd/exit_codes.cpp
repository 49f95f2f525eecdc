// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/exit_codes.h"

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

constexpr int kMendable = 2, kInfrastructure = 3, kLacking = 77;
constexpr std::array<std::string_view, 3> kMayLack{"repro", "record", "doctor"};

// README.md has the same table; ci/measure/words.py compares them.
constexpr std::string_view kExitCodes =
    "0    pass; for repro: reproduced and explained as the scenario promises; with --expect "
    "quiet:\n"
    "     nothing stalled although the hazard was entered\n"
    "1    failing stall, wrong data or regression; for repro: expectation not met\n"
    "2    usage, plan or environment error that you can mend\n"
    "3    verdict unknown or infrastructure failed: explained otherwise, a process of ours lost,\n"
    "     the hazard never entered, sight impaired, too few runs or hours, interrupted; for\n"
    "     explain: input understood in part\n"
    "77   repro, record and doctor only: this machine lacks the means (the reason is printed)\n"
    "When several apply: 2, then 1, then 3. Some commands have codes of their own:\n"
    "gate --bisect: 125 for unknown\n"
    "watch -- COMMAND: 1 stall, 3 unknown, else COMMAND's own (127 not found, 128+n by signal n)\n"
    "vdbench: 0 or 157\n";

}  // namespace

int exit_code_of(const Error& error, std::string_view command) {
  switch (error.origin) {
    case Origin::user:
      return kMendable;
    case Origin::infra:
      return kInfrastructure;
    case Origin::lacking:
      return std::find(kMayLack.begin(), kMayLack.end(), command) != kMayLack.end() ? kLacking
                                                                                    : kMendable;
  }
  return kInfrastructure;
}

std::string_view exit_codes_text() { return kExitCodes; }

}  // namespace stallproof
