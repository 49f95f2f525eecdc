// SPDX-License-Identifier: Apache-2.0
// Words of a gate's answer that all its forms share. Pure. Names of strangers come back on one line
// and without control characters, but not escaped.
#pragma once

#include <cstdint>
#include <string>

#include "harness/gate/gate.h"

namespace stallproof {

std::string verdict_word(Outcome outcome);                       // "PASS"
std::string counted(std::size_t count, const std::string& one);  // "1 stall", "2 stalls"
// At most three digits that mean something, never an exponent: 96, 0.0167, 2160.
std::string amount_words(double value);
// The same with two digits, never below the value: an upper bound must not be told too low.
std::string bound_words(double value);
std::string change_words(double rise);  // "-5.1 %"
// "direct-io throughput -5.1 % (p 0.008)".
std::string metric_words(const MetricChange& change);
// "incident 001 (mmap_lock_cycle) at +2.0 s for 31.4 s", "… at +2.0 s, never resolved".
std::string stall_words(const GateStall& stall);
// "RUN (node N): what", or what concerns all.
std::string finding_words(const GateFinding& finding);
std::string one_line(const std::string& text);

}  // namespace stallproof
