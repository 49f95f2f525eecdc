// SPDX-License-Identifier: Apache-2.0
// The records of one kind in a raw scan, one after the other, without an allocation. Bytes that are
// no record end the walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "harness/probe/scan_record.h"

namespace stallproof {

template <class Record, class Visit>
void for_each_record(std::span<const std::byte> bytes, ScanKind kind, const Visit& visit) {
  for (std::size_t at = 0; at + sizeof(ScanHead) <= bytes.size();) {
    ScanHead head;
    std::memcpy(&head, bytes.data() + at, sizeof head);
    if (head.size < sizeof head || head.size > bytes.size() - at) return;
    if (head.kind == static_cast<std::uint32_t>(kind) && head.size >= sizeof(Record)) {
      Record record;
      std::memcpy(&record, bytes.data() + at, sizeof record);
      visit(record);
    }
    at += head.size;
  }
}

template <class Visit>
void for_each_task(std::span<const std::byte> bytes, const Visit& visit) {
  for_each_record<ScanTask>(bytes, SCAN_TASK, visit);
}

}  // namespace stallproof
