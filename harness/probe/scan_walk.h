// SPDX-License-Identifier: Apache-2.0
// The records of a raw scan, one after the other, all or those of one kind, without an allocation.
// Bytes that are no record end the walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "harness/probe/scan_record.h"

namespace stallproof {

// visit(head, bytes of the record)
template <class Visit>
void for_each_head(std::span<const std::byte> bytes, const Visit& visit) {
  for (std::size_t at = 0; at + sizeof(ScanHead) <= bytes.size();) {
    ScanHead head;
    std::memcpy(&head, bytes.data() + at, sizeof head);
    if (head.size < sizeof head || head.size > bytes.size() - at) return;
    visit(head, bytes.subspan(at, head.size));
    at += head.size;
  }
}

template <class Record, class Visit>
void visit_if(const ScanHead& head, std::span<const std::byte> bytes, ScanKind kind,
              const Visit& visit) {
  if (head.kind != static_cast<std::uint32_t>(kind) || bytes.size() < sizeof(Record)) return;
  Record record;
  std::memcpy(&record, bytes.data(), sizeof record);
  visit(record);
}

template <class Record, class Visit>
void for_each_record(std::span<const std::byte> bytes, ScanKind kind, const Visit& visit) {
  for_each_head(bytes, [&](const ScanHead& head, std::span<const std::byte> record) {
    visit_if<Record>(head, record, kind, visit);
  });
}

template <class Visit>
void for_each_task(std::span<const std::byte> bytes, const Visit& visit) {
  for_each_record<ScanTask>(bytes, SCAN_TASK, visit);
}

}  // namespace stallproof
