// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/explain_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/capture/tar_gz.h"
#include "harness/cmd/explanation_list.h"
#include "harness/explain/crash_text.h"
#include "harness/explain/explain.h"
#include "harness/explain/log/plain_log.h"
#include "harness/explain/log_explanation.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_read.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostInside = 256U << 20U;

struct Piece {
  std::string name;
  InputKind kind = InputKind::unknown;
  std::string content;
};

// A capture's archive is as good as its snapshot, or what else of it is asked for.
Result<Piece> take_of_archive(const std::string& archive, const std::vector<ArchiveFile>& files,
                              InputKind forced) {
  if (forced == InputKind::crash_text)
    return fail(archive + ": an archive, which holds no output of crash (leave out --crash-text)");
  const bool log = forced == InputKind::kernel_log;
  const std::string wanted = log ? "kmsg.txt" : "snapshot.json";
  for (const ArchiveFile& file : files)
    if (file.name.ends_with("/" + wanted))
      return Piece{archive + ": " + file.name, log ? InputKind::kernel_log : InputKind::snapshot,
                   file.content};
  return fail(fmt::format("{}: an archive, but no capture (no {} in it)", archive, wanted));
}

// Any other gzip is as good as the text inside.
Result<Piece> unpack(const Piece& packed, InputKind forced) {
  if (const auto files = read_tar_gz(packed.content, kMostInside))
    return take_of_archive(packed.name, *files, forced);
  auto text = gunzip(packed.content, kMostInside);
  if (!text) return fail(fmt::format("{}: {}", packed.name, text.error().what));
  const InputKind kind = forced == InputKind::unknown ? recognise(*text) : forced;
  return Piece{packed.name, kind, std::move(*text)};
}

Result<Piece> read_piece(const std::string& file, InputKind forced) {
  auto content = read_file(file == "-" ? "/dev/stdin" : file, kMostInside);
  if (!content)
    return fail("explain: " + content.error().what +
                " (give a file or directory of a stall; see stallproof explain --help)");
  *content = as_utf8(std::move(*content));
  Piece piece{file, recognise(*content), std::move(*content)};
  if (piece.kind == InputKind::archive) return unpack(piece, forced);
  if (forced != InputKind::unknown) piece.kind = forced;
  return piece;
}

class Session {
 public:
  Session(const FsKnowledge& knowledge, const std::string& format)
      : knowledge_(knowledge), format_(format) {}

  Result<> take(Piece piece) {
    switch (piece.kind) {
      case InputKind::crash_text:
        return join(crash_, piece);
      case InputKind::kernel_log:
        piece.content = plain_log(std::move(piece.content));
        return join(log_, piece);
      case InputKind::snapshot:
        return take_snapshot(piece);
      case InputKind::explanation:
        return take_explanation(piece);
      default:
        return refuse(piece);
    }
  }

  Result<ExplainedInput> finish() {
    if (!crash_.empty()) {
      if (auto read = take_text(parse_crash_text(crash_), "output of crash"); !read)
        return Failure(read.error());
    }
    if (!log_.empty()) {
      if (auto read = take_log(); !read) return Failure(read.error());
    }
    if (documents_.empty())
      return fail(
          fmt::format("explain: {} (wanted: a capture or its archive, snapshot.json, output "
                      "of crash, a kernel log)",
                      fmt::join(result_.notes, "; ")),
          Origin::infra);
    auto text = as_one_document(documents_, format_);
    if (!text) return Failure(text.error());
    result_.text = std::move(*text);
    result_.complete = complete_;
    return std::move(result_);
  }

 private:
  void note(std::string line) { result_.notes.push_back(std::move(line)); }

  Result<> join(std::string& into, const Piece& piece) {
    note(fmt::format("{}: {}", piece.name, kind_name(piece.kind)));
    into += piece.content;
    if (into.empty() || into.back() != '\n') into += '\n';
    return {};
  }

  Result<> take_snapshot(const Piece& piece) {
    const auto snapshot = read_snapshot_json(piece.content);
    if (!snapshot) return fail(fmt::format("{}: {}", piece.name, snapshot.error().what));
    note(fmt::format("{}: {} of {}, {} tasks, {} locks", piece.name, kind_name(piece.kind),
                     snapshot->kernel.empty() ? "an unknown kernel" : snapshot->kernel,
                     snapshot->tasks.size(), snapshot->locks.size()));
    return add(explain(*snapshot, knowledge_));
  }

  // Without its snapshot it cannot be drawn again; what it says can be said again.
  Result<> take_explanation(const Piece& piece) {
    note(fmt::format("{}: {}", piece.name, kind_name(piece.kind)));
    const auto document = nlohmann::json::parse(piece.content, nullptr, false);
    if (format_ == "json") {
      append(piece.content);
      return {};
    }
    if (format_ != "text")
      return fail(fmt::format("{}: for {} give the snapshot.json beside it", piece.name, format_));
    std::string text;
    for (const char* key : {"class", "signature", "summary", "advice"})
      if (document.contains(key) && document[key].is_string())
        text += document[key].get<std::string>() + "\n";
    append(text);
    return {};
  }

  Result<> take_text(const CrashText& text, const char* what) {
    if (text.snapshot.tasks.empty() && text.snapshot.locks.empty()) return nothing_in(what);
    note_problems(text.problems);
    complete_ = complete_ && text.complete;
    note(fmt::format("{}: {} tasks, {} locks", what, text.snapshot.tasks.size(),
                     text.snapshot.locks.size()));
    return add(explain(text.snapshot, knowledge_));
  }

  Result<> take_log() {
    const ExplainedLog log = explain_kernel_log(log_, knowledge_);
    if (log.nothing_known) return nothing_in("a kernel log");
    note_problems(log.problems);
    complete_ = complete_ && log.problems.empty();
    note(fmt::format("a kernel log: {} tasks, {} locks, {} reports", log.tasks, log.locks,
                     log.explanation.reports->size()));
    return add(log.explanation);
  }

  Result<> nothing_in(const char* what) {
    note(fmt::format("no task or lock could be read from {}", what));
    complete_ = false;
    return {};
  }

  void note_problems(const std::vector<TextProblem>& problems) {
    for (const TextProblem& problem : problems)
      note(fmt::format("line {}: {}", problem.line, problem.what));
  }

  Result<> refuse(const Piece& piece) {
    complete_ = false;
    const char* hint = "cannot be explained";
    if (piece.kind == InputKind::vmcore) hint = "give it as a file, not through a pipe";
    if (piece.kind == InputKind::fs_knowledge) hint = "give it by --fs, or test it by --check-fs";
    if (piece.kind == InputKind::verdict) hint = "see `stallproof show` on its directory";
    note(fmt::format("{}: {}: {}", piece.name, kind_name(piece.kind), hint));
    return {};
  }

  Result<> add(const Explanation& explanation) {
    const auto text = render_as(explanation, format_);
    if (!text) return Failure(text.error());
    append(*text);
    result_.signatures.push_back(explanation.signature);
    return {};
  }

  void append(std::string text) {
    if (!text.empty()) documents_.push_back(std::move(text));
  }

  const FsKnowledge& knowledge_;
  const std::string& format_;
  std::string crash_, log_;
  bool complete_ = true;
  std::vector<std::string> documents_;
  ExplainedInput result_;
};

void describe(const char* key, const std::vector<FsPattern>& patterns, std::string& text) {
  for (const FsPattern& each : patterns)
    if (each.glob.find_first_not_of("*?") == std::string::npos)
      text +=
          fmt::format("warning: line {}: {} \"{}\" fits every name\n", each.line, key, each.glob);
  if (patterns.empty()) return;
  std::vector<std::string> globs;
  for (const FsPattern& each : patterns) globs.push_back(each.glob);
  text += fmt::format("{}: {}\n", key, fmt::join(globs, ", "));
}

}  // namespace

Result<ExplainedInput> explain_files(const std::vector<std::string>& files, InputKind forced,
                                     const FsKnowledge& knowledge, const std::string& format) {
  Session session(knowledge, format);
  for (const std::string& file : files) {
    auto piece = read_piece(file, forced);
    if (!piece) return Failure(piece.error());
    if (auto taken = session.take(std::move(*piece)); !taken) return Failure(taken.error());
  }
  return session.finish();
}

bool begins_as_vmcore(const std::string& file) {
  constexpr std::size_t kLooked = 64;
  struct stat info {};
  if (file == "-" || ::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::string beginning(kLooked, '\0');
  const ssize_t got = opened.valid() ? ::pread(opened.get(), beginning.data(), kLooked, 0) : 0;
  beginning.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return recognise(beginning) == InputKind::vmcore;
}

Result<std::string> render_as(const Explanation& explanation, const std::string& format) {
  if (format == "text") return render_text(explanation);
  if (format == "json") return render_json(explanation);
  if (format == "dot") return render_dot(explanation);
  if (format == "svg") return render_svg(explanation);
  return fail(fmt::format("--format: '{}' is not known (one of: text, json, dot, svg)", format));
}

Result<std::string> describe_fs_file(const std::string& path) {
  FsKnowledge alone;
  if (auto added = alone.add_file(path); !added) return Failure(added.error());
  const FsFile& file = alone.files().front();
  std::string text = fmt::format("{}: file system \"{}\"\n", path, file.name);
  if (const auto shipped = FsKnowledge::shipped())
    for (const FsFile& each : shipped->files())
      if (each.name == file.name)
        text += fmt::format("warning: replaces the shipped {}.toml\n", file.name);
  if (!file.module.empty()) text += "module: " + file.module + "\n";
  describe("service threads", file.service, text);
  describe("functions that wait for the service", file.waits_for_service, text);
  describe("functions that lock the client's memory", file.locks_client_mm, text);
  describe("functions of an idle service thread", file.idle, text);
  if (!file.advice.empty()) text += "advice: " + file.advice + "\n";
  return text;
}

}  // namespace stallproof
