// SPDX-License-Identifier: Apache-2.0
#include "harness/base/one_line.h"

namespace stallproof {

std::string on_one_line(std::string text) {
  // U+009B begins an escape sequence as ESC [ does; in UTF-8 it is two bytes.
  for (std::size_t at = text.find('\xc2'); at != std::string::npos; at = text.find('\xc2', at + 1))
    if (at + 1 < text.size() && (static_cast<unsigned char>(text[at + 1]) & 0xe0U) == 0x80)
      text.replace(at, 2, "?");
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return text;
}

}  // namespace stallproof
