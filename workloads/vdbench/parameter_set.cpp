// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/plan_parts.h"
#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

using ReadSection = Result<> (*)(Cursor&, ParameterSet&);

Result<> read_sections(Cursor& cursor, ParameterSet& all, std::span<const ReadSection> sections) {
  for (const ReadSection read : sections)
    if (auto done = read(cursor, all); !done) return done;
  return {};
}

constexpr ReadSection kFirst[] = {read_general, read_hosts};
constexpr ReadSection kRest[] = {read_file_systems, read_storage, read_workloads,
                                 read_file_workloads, read_runs};

}  // namespace

Result<ParameterSet> read_parameter_set(const std::vector<std::string>& files,
                                        const std::vector<std::string>& words,
                                        const PlanOptions& options) {
  Substitutions substitutions;
  for (const std::string& word : words)
    if (auto added = substitutions.add(word); !added) return Failure(added.error());
  auto lines = read_parameter_files(files, substitutions);
  if (!lines) return Failure(lines.error());
  auto tokens = split_parameters(*lines, options.run_extras);
  if (!tokens) return Failure(tokens.error());

  ParameterSet all;
  for (const SourceLine& line : *lines) all.written += line.text + "\n";
  all.general.validate = options.validate;
  all.general.read_after_write = options.read_after_write;
  all.general.no_preread = options.no_preread;
  all.general.keep_times = options.keep_times;
  all.format_override = options.format;
  Cursor head(*tokens);
  if (auto read = read_sections(head, all, kFirst); !read) return Failure(read.error());
  // Only now the hosts are known that the definitions may be repeated for; what stands in front of
  // the definitions is never repeated.
  Names labels;
  for (const HostDefinition& host : all.hosts) labels.push_back(host.label);
  tokens = split_parameters(repeat_for_hosts(*lines, labels), options.run_extras);
  if (!tokens) return Failure(tokens.error());
  Cursor rest(*tokens, head.position());
  if (auto read = read_sections(rest, all, kRest); !read) return Failure(read.error());
  return all;
}

}  // namespace stallproof
