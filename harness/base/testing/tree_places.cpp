// SPDX-License-Identifier: Apache-2.0
#include "harness/base/testing/tree_places.h"

namespace stallproof {

std::string source_file(std::string_view below_the_top) {
  return std::string(SP_SOURCE_DIR "/").append(below_the_top);
}

std::string built_file(std::string_view below_the_build) {
  return std::string(SP_BINARY_DIR "/").append(below_the_build);
}

}  // namespace stallproof
