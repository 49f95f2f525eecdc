// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/vdbench_words.h"

#include <fmt/format.h>

#include <charconv>

namespace stallproof {
namespace {

class Words {
 public:
  explicit Words(const std::vector<std::string>& words) : words_(words) {}

  Result<VdbenchWords> read() {
    for (; at_ < words_.size(); ++at_)
      if (auto taken = take(words_[at_]); !taken) return Failure(taken.error());
    if (out_.files.empty()) return fail("vdbench: no parameter file (-f FILE)");
    return std::move(out_);
  }

 private:
  Result<> take(const std::string& word) {
    if (word.starts_with("+")) return take_extras();
    if (!word.starts_with("-")) return take_plain(word);
    if (word.starts_with("--")) return take_ours(word);
    const bool was_file = word.starts_with("-f");
    files_may_follow_ = was_file;
    if (was_file) return word.size() > 2 ? take_plain(word.substr(2)) : Result<>();
    if (word == "-s") {
      out_.simulate = true;
      return {};
    }
    if (word.starts_with("-v")) {
      if (word.find_first_not_of("vrwtq2", 1) != std::string::npos) return unknown(word);
      const auto has = [&word](char letter) { return word.find(letter, 2) != std::string::npos; };
      out_.options.validate = true;
      out_.options.read_after_write = has('r');
      out_.options.no_preread = has('w');
      out_.options.keep_times = has('t');
      return {};
    }
    if (word.starts_with("-j")) return take_journal(word);
    if (word.starts_with("-c")) return take_format(word);
    if (word == "-k" || word.starts_with("-l")) return take_ignored(word, word == "-l");
    return take_with_value(word);
  }

  // --name, --name VALUE or --name=VALUE
  Result<> take_ours(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (bool* const flag = flag_named(name); flag != nullptr) {
      *flag = true;
      return equals == std::string::npos ? Result<>() : unknown(word);
    }
    std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    const bool list = name == "label" || name == "fs";
    std::string* const into = value_named(name);
    if (!list && into == nullptr) return unknown(word);
    if (equals == std::string::npos && at_ + 1 < words_.size()) value = words_[++at_];
    if (value.empty()) return fail(fmt::format("vdbench: --{} needs a value", name));
    if (list)
      (name == "label" ? out_.labels : out_.fs_files).push_back(value);
    else
      *into = value;
    return {};
  }

  bool* flag_named(const std::string& name) {
    return name == "no-jvm"                 ? &out_.no_jvm
           : name == "lenient"              ? &out_.lenient
           : name == "allow-claimed-device" ? &out_.allow_claimed
           : name == "quiet"                ? &out_.quiet
           : name == "json"                 ? &out_.json
           : name == "allow-crash"          ? &out_.policy.allow_crash
                                            : nullptr;
  }

  std::string* value_named(const std::string& name) {
    return name == "out"             ? &out_.output
           : name == "engine"        ? &out_.engine
           : name == "canary"        ? &out_.canary
           : name == "stall-after"   ? &out_.thresholds.stall_after
           : name == "fail-after"    ? &out_.thresholds.fail_after
           : name == "dropout-below" ? &out_.thresholds.dropout_below
           : name == "on-stall"      ? &out_.policy.on_stall
           : name == "listen"        ? &out_.outlets.listen
           : name == "linger"        ? &out_.outlets.linger
           : name == "textfile"      ? &out_.outlets.textfile
           : name == "notify"        ? &out_.outlets.notify.command.emplace()
                                     : nullptr;
  }

  Result<> take_journal(const std::string& word) {
    if (word.find_first_of("ro", 2) != std::string::npos)
      return fail(fmt::format("vdbench: {}: journal recovery is not supported", word));
    if (word.find_first_not_of("nm2tis", 2) != std::string::npos) return unknown(word);
    out_.options.validate = true;
    out_.ignored.push_back(word + " (data is validated, no journal is written)");
    return {};
  }

  Result<> take_format(const std::string& word) {
    const std::string what = word.substr(2);
    out_.options.format = what == "o"   ? FormatOverride::only
                          : what == "y" ? FormatOverride::yes
                          : what == "n" ? FormatOverride::no
                                        : FormatOverride::none;
    return what.empty() || what == "o" || what == "y" || what == "n" ? Result<>() : unknown(word);
  }

  // -l, -l 10, -l10m
  Result<> take_ignored(const std::string& word, bool value_may_follow) {
    if (value_may_follow && at_ + 1 < words_.size() && !words_[at_ + 1].empty() &&
        words_[at_ + 1].find_first_not_of("0123456789smh") == std::string::npos)
      ++at_;
    out_.ignored.push_back(word);
    return {};
  }

  Result<> take_plain(const std::string& word) {
    if (word.find('=') != std::string::npos)
      out_.values.push_back(word);
    else if (files_may_follow_)
      out_.files.push_back(word);
    else
      return unknown(word);
    return {};
  }

  Result<> take_with_value(const std::string& word) {
    const std::string option = word.substr(0, 2);
    std::string value = word.size() > 2 ? word.substr(2) : "";
    if (value.empty() && at_ + 1 < words_.size()) value = words_[++at_];
    if (option == "-o") {
      out_.output = value;
      return value.empty() ? fail("vdbench: -o needs a folder") : Result<>();
    }
    if (option == "-e") return take_seconds(out_.options.elapsed, option, value);
    if (option == "-i") return take_seconds(out_.options.interval, option, value);
    if (option == "-w") return take_seconds(out_.options.warmup, option, value);
    if (option == "-m" || option == "-p" || option == "-d") {
      std::optional<double> number;
      out_.ignored.push_back(option);
      return take_seconds(number, option, value);
    }
    return unknown(word);
  }

  // As in vdbench, 0 leaves what the file says.
  static Result<> take_seconds(std::optional<double>& into, const std::string& option,
                               const std::string& value) {
    int seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (value.empty() || error != std::errc() || end != value.data() + value.size() || seconds < 0)
      return fail(fmt::format("vdbench: {} {}: not a whole number", option, value));
    if (seconds > 0) into = seconds;
    return {};
  }

  Result<> take_extras() {
    std::string extras = words_[at_].substr(1);
    for (++at_; at_ < words_.size(); ++at_) extras += words_[at_];
    if (extras.empty() || extras.find(' ') != std::string::npos)
      return fail("vdbench: + takes parameters of a run without blanks, as in + iorate=max");
    out_.options.run_extras = extras;
    return {};
  }

  static Result<> unknown(const std::string& word) {
    return fail(fmt::format("vdbench: unknown word '{}' (see stallproof vdbench --help)", word));
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  bool files_may_follow_ = false;
  VdbenchWords out_;
};

}  // namespace

Result<VdbenchWords> read_vdbench_words(const std::vector<std::string>& words) {
  return Words(words).read();
}

}  // namespace stallproof
