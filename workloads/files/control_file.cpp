// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/control_file.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>

#include "harness/base/file.h"
#include "harness/base/units.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostControlBytes = std::size_t{4} << 30U;
constexpr std::string_view kChecksum = "checksum:";

std::string status_of(const AnchorTree& tree, FileNumber file) {
  if (!tree.exists(file)) return "n";
  return tree.full(file) ? "f" : std::to_string(tree.current_size(file));
}

// A line for each file; equal ones behind the first as "= COUNT", but for the last file.
void add_files(std::string& text, const AnchorTree& tree) {
  fmt::format_to(std::back_inserter(text), "file status {}\n", tree.files());
  std::string before;
  FileNumber repeated = 0;
  for (FileNumber file = 0; file < tree.files(); ++file) {
    std::string status = status_of(tree, file);
    const bool last = file + 1 == tree.files();
    if (!last && status == before) {
      ++repeated;
      continue;
    }
    if (repeated > 0) fmt::format_to(std::back_inserter(text), "= {}\n", repeated);
    repeated = 0;
    text += status + "\n";
    before = std::move(status);
  }
}

// Of all characters but the ends of lines.
std::uint64_t sum_of(std::string_view text) {
  std::uint64_t sum = 0;
  for (const char c : text)
    if (c != '\n') sum += static_cast<unsigned char>(c);
  return sum;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

// False for a file that was cut short, or is none of these.
bool whole(std::string_view text) {
  const std::size_t at = text.rfind(kChecksum);
  if (at == std::string_view::npos) return false;
  std::string_view digits = text.substr(at + kChecksum.size());
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  return number_of(digits) == sum_of(text.substr(0, at));
}

std::string shape_text(const JobAnchor& anchor) {
  std::string text =
      fmt::format("depth {}\nwidth {}\nfiles {}\ndist  {}\n", anchor.depth, anchor.width,
                  anchor.files, anchor.in_all_folders ? "all" : "bottom");
  for (const double size : anchor.sizes)
    fmt::format_to(std::back_inserter(text), "size  {:.0f}\n", size);
  return text;
}

}  // namespace

std::string control_text(const AnchorTree& tree, ControlTime time) {
  std::string text = fmt::format("when  {} {}\n", time == ControlTime::begin ? "start" : "end",
                                 format_rfc3339(realtime_now()));
  text += shape_text(tree.anchor());
  fmt::format_to(std::back_inserter(text), "directory status {}\n", tree.folders());
  for (FolderNumber folder = 0; folder < tree.folders(); ++folder)
    text += tree.folder_exists(folder) ? "y\n" : "n\n";
  add_files(text, tree);
  return text + fmt::format("{} {} \n", kChecksum, sum_of(text));
}

Result<> write_control_file(const AnchorTree& tree, ControlTime time) {
  return write_file_atomically(tree.control_path(), control_text(tree, time));
}

Result<> check_control_file(const AnchorTree& tree) {
  const auto text = read_file(tree.control_path(), kMostControlBytes);
  if (!text || !whole(*text)) return {};
  // Only the shape is compared; what is there is looked at.
  const std::size_t begin = text->find('\n') + 1;
  const std::size_t end = text->find("directory status");
  if (end == std::string::npos || begin > end) return {};
  const std::string there = text->substr(begin, end - begin);
  const std::string wanted = shape_text(tree.anchor());
  if (there == wanted) return {};
  const auto in_a_line = [](std::string shape) {
    for (char& c : shape)
      if (c == '\n') c = ' ';
    return shape;
  };
  return fail(
      fmt::format("fsd={}: {} holds a tree of another shape ({}, not {}): correct the "
                  "parameters, or run with format=yes",
                  tree.anchor().name, tree.anchor().path, in_a_line(there), in_a_line(wanted)));
}

}  // namespace stallproof
