// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/mountinfo.h"

#include <fmt/core.h>

#include <charconv>

#include "harness/base/file.h"

namespace stallproof {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes space, tab, newline and backslash as \ooo (fs/proc_namespace.c, mangle()).
std::string unescape(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size() && is_octal(field[i + 1]) &&
        is_octal(field[i + 2]) && is_octal(field[i + 3])) {
      const int code = (field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0');
      text.push_back(static_cast<char>(code));
      i += 3;
    } else {
      text.push_back(field[i]);
    }
  }
  return text;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    const std::size_t end = line.find(' ');
    if (end != 0) fields.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return fields;
}

bool parse_number(std::string_view text, std::uint32_t& number) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

// "36 35 98:0 /root /mnt rw,noatime master:1 shared:2 - ext3 /dev/root rw": any number of optional
// fields before the dash. An empty source makes a double space.
bool parse_line(std::string_view line, MountEntry& entry) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return false;
  const auto front = split(line.substr(0, dash));
  const auto back = split(line.substr(dash + 3));
  if (front.size() < 6 || back.empty()) return false;
  const std::size_t colon = front[2].find(':');
  if (colon == std::string_view::npos || !parse_number(front[0], entry.id) ||
      !parse_number(front[2].substr(0, colon), entry.device_major) ||
      !parse_number(front[2].substr(colon + 1), entry.device_minor))
    return false;
  entry.root = unescape(front[3]);
  entry.mount_point = unescape(front[4]);
  entry.fstype = unescape(back[0]);
  if (back.size() >= 3) entry.source = unescape(back[1]);
  if (back.size() >= 2) entry.super_options = unescape(back.back());
  return true;
}

bool lies_on(std::string_view path, std::string_view mount_point) {
  if (mount_point == "/") return path.starts_with('/');
  return path.starts_with(mount_point) &&
         (path.size() == mount_point.size() || path[mount_point.size()] == '/');
}

}  // namespace

Result<std::vector<MountEntry>> parse_mountinfo(std::string_view text) {
  std::vector<MountEntry> mounts;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty()) continue;
    MountEntry entry;
    if (!parse_line(line, entry))
      return fail(fmt::format("mountinfo line {}: not of the form this kernel interface has: {}",
                              number, line),
                  Origin::infra);
    mounts.push_back(std::move(entry));
  }
  return mounts;
}

Result<std::vector<MountEntry>> read_mountinfo(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return fail(text.error().what, text.error().origin);
  return parse_mountinfo(*text);
}

const MountEntry* mount_of(const std::vector<MountEntry>& mounts, std::string_view path) {
  const MountEntry* best = nullptr;
  for (const MountEntry& mount : mounts) {
    if (!lies_on(path, mount.mount_point)) continue;
    if (best == nullptr || mount.mount_point.size() >= best->mount_point.size()) best = &mount;
  }
  return best;
}

bool is_fuse(const MountEntry& mount) {
  return mount.fstype == "fuse" || mount.fstype.starts_with("fuse.") || mount.fstype == "fuseblk" ||
         mount.fstype.starts_with("fuseblk.");
}

}  // namespace stallproof
