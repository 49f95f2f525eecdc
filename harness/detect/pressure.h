// SPDX-License-Identifier: Apache-2.0
// Pressure of I/O or memory in its `full` form: nobody who could have run did, all waited. Common
// on a healthy machine under load, so it supports a stall that progress shows and is nothing else.
#pragma once

#include "harness/detect/detector.h"

namespace stallproof {

class Pressure final : public Detector {
 public:
  void check(const SystemView& view, FindingList& out) override;

  static constexpr Nanos kSpan = kSecond;            // judged over at least that long
  static constexpr std::uint64_t kShareOfTime = 10;  // from one tenth of it on

 private:
  void judge(const SystemView& view);

  SystemRow base_;                  // the row that the next one is compared with
  std::uint64_t percent_ = 0;       // of the last span; 0: under the limit
  std::size_t kind_ = kPressureIo;  // of which
  Nanos since_ns_ = 0;
};

}  // namespace stallproof
