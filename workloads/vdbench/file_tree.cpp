// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/file_tree.h"

#include <cmath>

#include "workloads/io/java_random.h"

namespace stallproof {
namespace {

// (average,0): half to one and a half of it, rounded to a grain that grows with it.
double drawn_around(JavaRandom& random, std::int32_t average) {
  constexpr std::int32_t kKilo = 1024, kMega = 1024 * kKilo;
  const float drawn = static_cast<float>(random.below(average) + average / 2);
  const std::int32_t grain = drawn >= 10 * kMega      ? kMega
                             : average >= kMega       ? 100 * kKilo
                             : average >= 100 * kKilo ? 10 * kKilo
                                                      : kKilo;
  const float grains = std::floor(drawn / static_cast<float>(grain) + 0.5F);
  return static_cast<double>(grains) * grain;
}

double drawn_by_share(JavaRandom& random, const std::vector<double>& sizes) {
  const double draw = random.below(100);
  double total = 0;
  for (std::size_t i = 0; i + 1 < sizes.size(); i += 2) {
    total += sizes[i + 1];
    if (draw < total) return sizes[i];
  }
  return sizes[sizes.size() - 2];
}

}  // namespace

FileTree count_tree(const FileSystemDefinition& fsd) {
  FileTree tree;
  if (fsd.width <= 1) tree.folders = static_cast<double>(fsd.depth) * fsd.width;
  for (int level = 1; fsd.width > 1 && level <= fsd.depth && tree.folders <= kMostFolders; ++level)
    tree.folders += std::pow(fsd.width, level);
  const double lowest = std::pow(fsd.width, fsd.depth);
  tree.files = (fsd.files_in_all_folders ? tree.folders : lowest) * fsd.files;
  return tree;
}

double bytes_of_tree(const FileSystemDefinition& fsd, const FileTree& tree) {
  if (fsd.sizes.size() == 1) return fsd.sizes[0] * tree.files;
  const bool around = fsd.sizes.size() == 2 && fsd.sizes[1] == 0;
  const auto average = static_cast<std::int32_t>(
      std::min(fsd.sizes[0], static_cast<double>(std::numeric_limits<std::int32_t>::max() / 2)));
  if (around && average < 1) return 0;
  JavaRandom random(0);
  double bytes = 0;
  for (double file = 0; file < tree.files; ++file)
    bytes += around ? drawn_around(random, average) : drawn_by_share(random, fsd.sizes);
  return bytes;
}

}  // namespace stallproof
