// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/parameter_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostBytes = 16U << 20U;
constexpr std::string_view kBlanks = " \t\r\f\v";

SourceLine trimmed(std::string_view written, Place place) {
  SourceLine line{.text = {}, .place = std::move(place)};
  const std::size_t begin = written.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return line;
  line.text = written.substr(begin, written.find_last_not_of(kBlanks) - begin + 1);
  line.columns.resize(line.text.size());
  std::iota(line.columns.begin(), line.columns.end(), static_cast<unsigned>(begin) + 1);
  return line;
}

bool is_comment(std::string_view line) {
  return line.empty() || line[0] == '/' || line[0] == '#' || line[0] == '*';
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

// vdbench looks in the parent of the file's folder, then in the current one; that beside the file
// is the last place to look is ours.
std::string find_include(const std::string& name, const std::string& from) {
  if (name.find('/') != std::string::npos) return name;
  for (const std::string& folder : {parent_of(from) + "/..", std::string("."), parent_of(from)}) {
    const std::string path = folder + "/" + name;
    if (::access(path.c_str(), R_OK) == 0) return folder == "." ? name : path;
  }
  return name;
}

// A pipe or a device could keep us for ever. On the command line a pipe is what the user meant.
bool is_regular(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

class Reader {
 public:
  explicit Reader(Substitutions& substitutions) : substitutions_(substitutions) {}

  Result<> read(const std::string& path, const Place* included_by) {
    const auto content = read_file(path, kMostBytes);
    if (!content) {
      const std::string what = "parameter file: " + content.error().what +
                               " (give a file of vdbench's parameters that can be read)";
      return included_by != nullptr ? fault_at(*included_by, what) : fail("vdbench: " + what);
    }
    unsigned number = 0;
    for (std::size_t begin = 0; begin < content->size();) {
      const std::size_t end = std::min(content->find('\n', begin), content->size());
      SourceLine line =
          trimmed(std::string_view(*content).substr(begin, end - begin), {path, ++number});
      begin = end + 1;
      if (is_comment(line.text)) {
        if (included_by == nullptr) substitutions_.note_comment(line.text);
        continue;
      }
      if (line.text.starts_with("eof")) break;
      if (auto taken = take(std::move(line), included_by != nullptr); !taken) return taken;
    }
    return {};
  }

  std::vector<SourceLine> lines;

 private:
  Result<> take(SourceLine written, bool included) {
    auto line = substitutions_.apply(std::move(written));
    if (!line) return Failure(line.error());
    if (!line->text.starts_with("include=")) {
      lines.push_back(std::move(*line));
      return {};
    }
    Place place = line->place;
    place.column = line->columns[0];
    if (included) return fault_at(place, "an included file may not include another");
    const std::string name = line->text.substr(8, line->text.find_first_of(kBlanks) - 8);
    if (name.empty() || name.find('=') != std::string::npos)
      return fault_at(place, "include= takes one file name");
    const std::string path = find_include(name, place.file);
    if (::access(path.c_str(), F_OK) == 0 && !is_regular(path))
      return fault_at(place, fmt::format("include={}: not a regular file", name));
    return read(path, &place);
  }

  Substitutions& substitutions_;
};

// Quotes go, what they protect is hidden, and the line ends at the first blank outside of them.
SourceLine without_comment(const SourceLine& line) {
  SourceLine out{.text = {}, .place = line.place};
  bool quoted = false;
  for (std::size_t i = 0; i < line.text.size(); ++i) {
    const char c = line.text[i];
    if (c == '"') {
      quoted = !quoted;
      continue;
    }
    if (!quoted && kBlanks.find(c) != std::string_view::npos) break;
    out.columns.push_back(line.columns[i]);
    out.text += !quoted    ? c
                : c == ' ' ? kHiddenBlank
                : c == ',' ? kHiddenComma
                : c == '=' ? kHiddenEquals
                : c == '-' ? kHiddenDash
                           : c;
  }
  return out;
}

// Takes one line apart; `tokens.back()` may be unfinished when the line ends in a list.
class Splitter {
 public:
  Result<> take(const SourceLine& line) {
    Place place = line.place;
    for (std::size_t i = 0; i < line.text.size(); ++i) {
      const char c = line.text[i];
      place.column = line.columns[i];
      if (token_.text.empty()) token_.place = place;
      if (c == ')' && depth_ == 0) return fault_at(place, "')' without '('");
      if (c == ',' && depth_ == 0) {
        finish();
        continue;
      }
      depth_ += c == '(' ? 1 : c == ')' ? -1 : 0;
      token_.text += c;
    }
    return {};
  }
  // vdbench takes a list that is never closed.
  void finish() {
    tokens.push_back(std::move(token_));
    token_ = {};
    depth_ = 0;
  }
  [[nodiscard]] bool unfinished() const { return !token_.text.empty(); }

  std::vector<Token> tokens;

 private:
  Token token_;
  int depth_ = 0;
};

}  // namespace

Result<std::vector<SourceLine>> read_parameter_files(const std::vector<std::string>& files,
                                                     Substitutions& substitutions) {
  Reader reader(substitutions);
  for (const std::string& file : files)
    if (auto read = reader.read(file, nullptr); !read) return Failure(read.error());
  if (auto used = substitutions.refuse_unused(); !used) return Failure(used.error());
  return std::move(reader.lines);
}

Result<std::vector<Token>> split_parameters(const std::vector<SourceLine>& lines,
                                            const std::string& run_extras) {
  Splitter splitter;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    SourceLine line = without_comment(lines[i]);
    if (!run_extras.empty() && line.text.starts_with("rd") && !line.text.ends_with(","))
      line.text += "," + run_extras;
    line.columns.resize(line.text.size());  // what is not in the file has no column
    if (auto taken = splitter.take(line); !taken) return Failure(taken.error());
    while (line.text.ends_with(",") && i + 1 < lines.size()) {
      line = without_comment(lines[++i]);
      if (auto taken = splitter.take(line); !taken) return Failure(taken.error());
    }
    if (splitter.unfinished()) splitter.finish();
  }
  return std::move(splitter.tokens);
}

}  // namespace stallproof
