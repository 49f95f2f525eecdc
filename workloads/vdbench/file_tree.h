// SPDX-License-Identifier: Apache-2.0
// How large the tree of an FSD is, by vdbench's rules: depth levels of width folders each, `files`
// in every lowest folder (or in all), sizes drawn from a generator with a fixed seed. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/vdbench/definitions.h"

namespace stallproof {

struct FileTree {
  double folders = 0, files = 0;
};

FileTree count_tree(const FileSystemDefinition& fsd);

// All files together. Draws as many sizes as there are files when they differ.
double bytes_of_tree(const FileSystemDefinition& fsd, const FileTree& tree);

constexpr double kMostFolders = 2'147'483'647, kMostFiles = 128.0 * 1024 * 1024;

}  // namespace stallproof
