// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/storm_profiles.h"

#include <array>

namespace stallproof {

std::unique_ptr<Workload> make_raw_storm();
std::unique_ptr<Workload> make_jvm_start();
std::unique_ptr<Workload> make_jvm_steady();
std::unique_ptr<Workload> make_thread_churn();
std::unique_ptr<Workload> make_g1_resize();
std::unique_ptr<Workload> make_polling_page();

namespace {

constexpr std::array kProfiles{
    StormProfile{"raw", "mprotect as often as the machine gives", make_raw_storm},
    StormProfile{"jvm-start", "a JVM starts: 400 mprotect in half a second, then as jvm-steady",
                 make_jvm_start},
    StormProfile{"jvm-steady", "a JVM under load: 2 to 4 mprotect a second, of all threads",
                 make_jvm_steady},
    StormProfile{
        "thread-churn",
        "each thread starts one after another that guards and frees its stack as Java's do",
        make_thread_churn},
    StormProfile{"g1-resize", "G1 commits and uncommits heap: 1700 calls a second, of all threads",
                 make_g1_resize},
    StormProfile{"polling-page",
                 "JDK 8 arms and disarms its polling page for safepoints; one thread calls",
                 make_polling_page},
};

}  // namespace

std::span<const StormProfile> storm_profiles() { return kProfiles; }

std::vector<std::string> storm_profile_names() {
  std::vector<std::string> names;
  for (const StormProfile& profile : kProfiles) names.emplace_back(profile.name);
  return names;
}

const StormProfile* find_storm_profile(std::string_view name) {
  for (const StormProfile& profile : kProfiles)
    if (profile.name == name) return &profile;
  return nullptr;
}

}  // namespace stallproof
