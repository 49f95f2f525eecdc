// SPDX-License-Identifier: Apache-2.0
#include "harness/base/kernel_setting.h"

#include "harness/base/file.h"

namespace stallproof {

Result<std::string> setting_now(const std::string& path) {
  const auto text = read_file(path, 4096);
  if (!text) return Failure(text.error());
  const std::string word = text->substr(0, text->find_first_of(" \t\n"));
  if (word.empty()) return fail("read " + path + ": it is empty");
  return word;
}

Result<PutBack> put_back(const ChangedSetting& setting) {
  const auto now = setting_now(setting.path);
  if (!now) return Failure(now.error());
  if (*now != setting.ours || setting.ours == setting.before) return PutBack::not_ours;
  if (auto written = write_control_file(setting.path, setting.before + "\n"); !written)
    return Failure(written.error());
  return PutBack::was_ours;
}

}  // namespace stallproof
