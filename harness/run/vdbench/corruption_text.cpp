// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/corruption_text.h"

#include <fmt/format.h>

#include "harness/run/vdbench/vdbench_output.h"

namespace stallproof {
namespace {

std::string meaning(BlockClass what) {
  switch (what) {
    case BlockClass::good:
      return "good";
    case BlockClass::lost_write:
      return "the whole block is of another write to it: the last one never arrived";
    case BlockClass::torn:
      return "sectors of different writes to this block: one arrived in part";
    case BlockClass::misdirected:
      return "an intact sector of another place: a write or a read went there";
    case BlockClass::overwritten:
      return "nothing of it is of ours: something else wrote here";
    case BlockClass::corrupted:
      return "ours, but some bytes changed";
    case BlockClass::zero:
      return "all zero: never written, trimmed or lost";
  }
  return "";
}

std::string use_name(LastUse use) {
  switch (use) {
    case LastUse::none:
      return "unknown";
    case LastUse::read:
      return "read";
    case LastUse::pre_read:
      return "read before write";
    case LastUse::write:
      return "write";
    case LastUse::read_back:
      return "read after write";
  }
  return "";
}

std::string printable(const std::array<char, 8>& name) {
  std::string text;
  for (const char c : name) text += c >= ' ' && c <= '~' ? c : '.';
  return text;
}

}  // namespace

std::string damage_name(BlockClass what) {
  switch (what) {
    case BlockClass::good:
      return "good";
    case BlockClass::lost_write:
      return "lost write";
    case BlockClass::torn:
      return "torn write";
    case BlockClass::misdirected:
      return "misdirected";
    case BlockClass::overwritten:
      return "overwritten";
    case BlockClass::corrupted:
      return "corrupted data";
    case BlockClass::zero:
      return "zeros";
  }
  return "";
}

std::vector<std::string> corruption_lines(const JobFile& file, const FaultRecord& fault) {
  const BadBlock& block = fault.block;
  const BlockReport& report = block.report;
  std::vector<std::string> lines = {
      fmt::format("Corrupted data block for sd={},lun={}; lba: {:#x} ({}); key block size {}; "
                  "found by: {}",
                  file.name, file.path, block.offset, block.offset, block.size,
                  use_name(block.found_by)),
      fmt::format("   {}: {}; {} of {} sectors, the first is number {}", damage_name(report.what),
                  meaning(report.what), report.bad_sectors, block.size / kValidationSector,
                  report.first_bad)};
  if (report.wrong_key)
    lines.push_back(
        fmt::format("   Data Validation Key miscompare. Expecting key={:#04x} received "
                    "key={:#04x}",
                    block.expected_key, report.found.key));
  if (report.bad_checksum) lines.emplace_back("   Checksum error on timestamp");
  if (report.wrong_offset)
    lines.push_back(
        fmt::format("   Logical byte address miscompare. Expecting {:#x} received {:#x}",
                    block.offset + report.first_bad * kValidationSector, report.found.offset));
  if (report.wrong_name)
    lines.push_back(
        fmt::format("   SD name miscompare. Received '{}'", printable(report.found.name)));
  lines.emplace_back(report.pattern_mismatch ? "   Data miscompare in bytes 32-511"
                                             : "   There are no mismatches in bytes 32-511");
  if (!report.bad_checksum && report.found.timestamp_ms != 0)
    lines.push_back("   The sector was written at " +
                    date_text(report.found.timestamp_ms * kMillisecond) + " " +
                    clock_text(report.found.timestamp_ms * kMillisecond));
  if (block.last_use.use != LastUse::none)
    lines.push_back(fmt::format("   Last good use: {} at {}", use_name(block.last_use.use),
                                clock_text(block.last_use.at_ms * kMillisecond)));
  return lines;
}

}  // namespace stallproof
