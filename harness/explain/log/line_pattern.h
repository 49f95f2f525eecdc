// SPDX-License-Identifier: Apache-2.0
// Patterns of log lines: literal text with named gaps, "EXT4-fs error (device {dev}): {fn}:". A gap
// reaches to the next literal, at the end of the pattern to the end of the word; "{*}" is not kept.
// What follows the pattern in the line is free. Pure and total; linear in the line.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace stallproof {

struct LineGaps {
  struct Gap {
    std::string_view name, text;
  };
  std::array<Gap, 4> gaps{};
  std::size_t count = 0;

  // Empty when there is no such gap.
  [[nodiscard]] std::string_view of(std::string_view name) const;
};

std::optional<LineGaps> match_line(std::string_view pattern, std::string_view line);

// `title` with its gaps filled in.
std::string filled(std::string_view title, const LineGaps& gaps);

}  // namespace stallproof
