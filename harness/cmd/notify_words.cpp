// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/notify_words.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "harness/run/foreign_command.h"

namespace stallproof {
namespace {

constexpr std::string_view kBlanks = " \t\n";

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<std::vector<std::string>> split() {
    for (; at_ < text_.size(); ++at_) {
      const char letter = text_[at_];
      if (kBlanks.find(letter) != std::string_view::npos) {
        end_word();
      } else if (letter == '\'' || letter == '"') {
        if (!quoted(letter)) return fail(fmt::format("--notify: a {} is not closed", letter));
      } else if (letter == '\\') {
        if (++at_ == text_.size()) return fail("--notify: nothing follows the backslash");
        add(text_[at_]);
      } else {
        add(letter);
      }
    }
    end_word();
    return std::move(words_);
  }

 private:
  void add(char letter) {
    word_ += letter;
    open_ = true;
  }

  bool quoted(char quote) {
    open_ = true;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      const bool escapes = quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() &&
                           (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\');
      if (escapes) ++at_;
      word_ += text_[at_];
    }
    return at_ < text_.size();
  }

  void end_word() {
    if (open_) words_.push_back(std::move(word_));
    word_.clear();
    open_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string word_;
  bool open_ = false;
  std::vector<std::string> words_;
};

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

void add_notify_option(CLI::App& app, NotifyWords& words) {
  app.add_option("--notify", words.command,
                 "Program and words, split at blanks ('…' and \"…\" keep them), no shell: run with "
                 "one JSON object on its stdin at a stall, its end, lost sight and the verdict; "
                 "'' for nobody");
}

Result<std::vector<std::string>> split_command(const std::string& text) {
  return Splitter(text).split();
}

Result<std::vector<std::string>> notify_command(const NotifyWords& words,
                                                const std::vector<std::string>& of_plan) {
  std::vector<std::string> command = of_plan;
  if (words.command) {
    auto split = split_command(*words.command);
    if (!split) return split;
    command = std::move(*split);
  }
  if (command.empty()) return command;
  const std::string& program = command.front();
  const std::string found = program.empty() ? "" : find_program(program);
  if (found.empty() || !is_file(found)) {
    const bool there = ::access(program.c_str(), F_OK) == 0;
    return fail(fmt::format(
        "--notify: {}: {}", program.empty() ? "''" : program,
        there ? "not executable (chmod +x, or name its interpreter first)" : "command not found"));
  }
  std::error_code error;
  const auto absolute = std::filesystem::absolute(found, error);
  command.front() = error ? found : absolute.string();
  return command;
}

}  // namespace stallproof
