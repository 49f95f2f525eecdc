// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/file_tree.h"

#include <cmath>

#include "workloads/files/file_sizes.h"

namespace stallproof {

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
  FileSizes sizes(fsd.sizes);
  double bytes = 0;
  for (double file = 0; file < tree.files; ++file)
    bytes += static_cast<double>(sizes.size_of(sizes.next()));
  return bytes;
}

}  // namespace stallproof
