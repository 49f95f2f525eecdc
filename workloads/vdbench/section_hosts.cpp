// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "harness/base/bounded.h"
#include "workloads/vdbench/sections.h"

namespace stallproof {
namespace {

constexpr Nanos kLookUp = 5 * kSecond;

// A static file has no name service: it takes every name, and a run on other hosts is refused
// anyway.
bool host_exists(const std::string& name) {
  if (name.starts_with("localhost")) return true;
#ifdef SP_STATIC_BUILD
  return true;
#else
  return run_bounded(
             [&] {
               addrinfo* found = nullptr;
               if (::getaddrinfo(name.c_str(), nullptr, nullptr, &found) != 0) return ENOENT;
               ::freeaddrinfo(found);
               return 0;
             },
             Deadline::in(kLookUp)) == 0;
#endif
}

Result<> take_system(HostDefinition& host, const Parameter& p, ParameterSet&) {
  const auto name = first_word(p);
  if (!name) return Failure(name.error());
  if (!host_exists(*name)) return fault_in(p, fmt::format("no host '{}' can be found", *name));
  host.address = *name;
  return {};
}

Result<> take_vdbench(HostDefinition& host, const Parameter& p, ParameterSet&) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  host.vdbench = *word;
  return {};
}

Result<> ignore_word(HostDefinition&, const Parameter& p, ParameterSet& all) {
  const auto word = first_word(p);
  if (!word) return Failure(word.error());
  all.general.ignored.push_back(p.keyword);
  return {};
}

Result<> take_jvms(HostDefinition& host, const Parameter& p, ParameterSet& all) {
  int jvms = 0;
  if (auto taken = take_whole(jvms, p); !taken) return taken;
  host.jvms = static_cast<unsigned>(std::max(jvms, 0));
  all.general.ignored.push_back(p.keyword);
  return {};
}

Result<> take_clients(HostDefinition& host, const Parameter& p, ParameterSet&) {
  int clients = 0;
  if (auto taken = take_whole(clients, p); !taken) return taken;
  if (clients > 10'000) return fault_in(p, "too many clients");
  host.clients = static_cast<unsigned>(std::max(clients, 0));
  return {};
}

Result<> take_mount(HostDefinition& host, const Parameter&, ParameterSet&) {
  host.mounts = true;
  return {};
}

constexpr Keyword<HostDefinition> kKeywords[] = {
    {"system", Match::prefix, take_system},   {"master", Match::prefix, ignore_word},
    {"vdbench", Match::prefix, take_vdbench}, {"shell", Match::prefix, ignore_word},
    {"user", Match::prefix, ignore_word},     {"jvms", Match::prefix, take_jvms},
    {"clients", Match::prefix, take_clients}, {"mount", Match::prefix, take_mount},
};

bool ends_section(const std::string& keyword) {
  constexpr std::array kNext = {"rg", "sd", "fsd", "wd", "fwd", "rd"};
  return std::find(kNext.begin(), kNext.end(), keyword) != kNext.end();
}

// A host with clients=n becomes n hosts LABEL_cl0 …
Result<> finish(ParameterSet& all) {
  std::vector<HostDefinition> hosts;
  if (all.hosts.empty()) all.hosts.emplace_back();
  for (const HostDefinition& host : all.hosts) {
    if (host.vdbench.find_first_of("/\\") == std::string::npos)
      return fault_at(host.place,
                      fmt::format("hd={}: vdbench= is a folder with a '/'", host.label));
    hosts.push_back(host);
    if (host.clients > 0) hosts.back().label += "_cl0";
  }
  const std::size_t given = hosts.size();
  for (std::size_t i = 0; i < given; ++i)
    for (unsigned client = 1; client < hosts[i].clients; ++client) {
      HostDefinition copy = hosts[i];
      copy.label = all.hosts[i].label + "_cl" + std::to_string(client);
      hosts.push_back(std::move(copy));
    }
  for (std::size_t i = 0; i < hosts.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (::strcasecmp(hosts[i].label.c_str(), hosts[j].label.c_str()) == 0)
        return fault_at(hosts[i].place, fmt::format("hd={} is defined twice", hosts[i].label));
  all.hosts = std::move(hosts);
  return {};
}

}  // namespace

Result<> read_hosts(Cursor& cursor, ParameterSet& all) {
  HostDefinition defaults;
  bool in_default = true;
  for (;; cursor.advance()) {
    const auto parameter = cursor.peek();
    if (!parameter) return Failure(parameter.error());
    if (ends_section(parameter->keyword)) return finish(all);
    if (parameter->keyword == "hd" || parameter->keyword == "host") {
      const auto name = first_word(*parameter);
      if (!name) return Failure(name.error());
      in_default = *name == "default";
      if (in_default) continue;
      all.hosts.push_back(defaults);
      all.hosts.back().address = *name;
      all.hosts.back().label = parameter->words.size() > 1 ? parameter->words[1] : *name;
      all.hosts.back().place = parameter->place;
      continue;
    }
    HostDefinition& host = in_default ? defaults : all.hosts.back();
    if (auto taken = take_parameter<HostDefinition>(kKeywords, "hd", host, *parameter, all); !taken)
      return taken;
  }
}

}  // namespace stallproof
