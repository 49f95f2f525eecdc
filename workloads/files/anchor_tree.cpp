// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/anchor_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

namespace stallproof {
namespace {

constexpr std::uint64_t kMostFolders = 2'147'483'647, kMostFiles = 128ULL << 20U;
constexpr unsigned kMostTries = 1'000'000;  // of drawing a file that is not drawn yet
constexpr unsigned kTriesOfOnce = 64;

Failure fault_of(const JobAnchor& anchor, const std::string& what) {
  return fail(fmt::format("fsd={}: anchor {}: {}", anchor.name, anchor.path, what));
}

double unit(Prng& prng) { return static_cast<double>((prng.next() >> 11U) + 1) * 0x1p-53; }

std::unique_ptr<std::atomic<std::uint32_t>[]> zeros(std::uint64_t count) {
  return std::unique_ptr<std::atomic<std::uint32_t>[]>(new (std::nothrow)
                                                           std::atomic<std::uint32_t>[count]());
}

}  // namespace

Result<> AnchorTree::count() {
  if (anchor_.depth < 1 || anchor_.width < 1 || anchor_.files < 0)
    return fault_of(anchor_, "depth= and width= must be at least 1");
  const auto width = static_cast<std::uint64_t>(anchor_.width);
  std::uint64_t folders = 0;
  power_.push_back(1);
  for (int level = 1; level <= anchor_.depth; ++level) {
    first_of_level_.push_back(static_cast<FolderNumber>(folders));
    power_.push_back(power_.back() * width);
    folders += power_.back();
    if (folders > kMostFolders) return fault_of(anchor_, "too many folders");
  }
  const std::uint64_t with_files = anchor_.in_all_folders ? folders : power_.back();
  const std::uint64_t files = with_files * static_cast<std::uint64_t>(anchor_.files);
  if (files > kMostFiles) return fault_of(anchor_, fmt::format("{} files are too many", files));
  folder_count_ = static_cast<FolderNumber>(folders);
  first_folder_with_files_ = static_cast<FolderNumber>(folders - with_files);
  file_count_ = static_cast<FileNumber>(files);
  return {};
}

Result<> AnchorTree::reserve() {
  files_ = zeros(file_count_);
  folders_ = zeros(folder_count_);
  in_folder_ = zeros(folder_count_);
  if (!files_ || !folders_ || !in_folder_)
    return fault_of(anchor_, fmt::format("not enough memory for {} files and {} folders",
                                         file_count_, folder_count_));
  return {};
}

void AnchorTree::draw_sizes() {
  if (sizes_.all_equal()) {
    bytes_ = sizes_.size_of(0) * file_count_;
    return;
  }
  drawn_.reserve(file_count_);
  for (FileNumber file = 0; file < file_count_; ++file) {
    drawn_.push_back(sizes_.next());
    bytes_ += sizes_.size_of(drawn_.back());
  }
}

// A part of the used files, drawn until they hold so much; the same ones in each run.
Result<> AnchorTree::use_bytes(double wanted, std::uint64_t there, const char* what) {
  if (wanted <= 0) return {};
  if (wanted > static_cast<double>(there))
    return fault_of(
        anchor_, fmt::format("{}={:.0f} is more than the {} bytes there are", what, wanted, there));
  JavaRandom random(0);
  std::vector<bool> taken(used_files());
  double sum = 0;
  for (unsigned tries = 0; sum < wanted;) {
    const auto at = static_cast<FileNumber>(random.unit() * used_files());
    if (!taken[at]) {
      taken[at] = true;
      sum += static_cast<double>(size_of(used_file(at)));
      tries = 0;
    } else if (++tries > kMostTries) {
      return fault_of(anchor_, fmt::format("no files were found for {}=", what));
    }
  }
  std::vector<FileNumber> chosen;
  for (FileNumber at = 0; at < taken.size(); ++at)
    if (taken[at]) chosen.push_back(used_file(at));
  used_ = std::move(chosen);
  return {};
}

void AnchorTree::mark_unused() {
  if (used_.empty()) return;
  for (FileNumber file = 0; file < file_count_; ++file) files_[file].fetch_or(kUnused);
  for (const FileNumber file : used_) files_[file].fetch_and(~kUnused);
}

Result<std::unique_ptr<AnchorTree>> AnchorTree::plan(const JobAnchor& anchor, bool format) {
  std::unique_ptr<AnchorTree> tree(new AnchorTree(anchor));
  if (auto counted = tree->count(); !counted) return Failure(counted.error());
  if (auto reserved = tree->reserve(); !reserved) return Failure(reserved.error());
  tree->draw_sizes();
  if (auto good = tree->use_bytes(anchor.total_size, tree->bytes_, "totalsize"); !good)
    return Failure(good.error());
  if (!format && anchor.working_set > 0) {
    std::uint64_t there = 0;
    for (FileNumber at = 0; at < tree->used_files(); ++at)
      there += tree->size_of(tree->used_file(at));
    if (auto good = tree->use_bytes(anchor.working_set, there, "wss"); !good)
      return Failure(good.error());
  }
  tree->mark_unused();
  return tree;
}

AnchorTree::FolderPlace AnchorTree::place_of(FolderNumber folder) const {
  const auto above = std::upper_bound(first_of_level_.begin(), first_of_level_.end(), folder);
  const auto level = static_cast<std::size_t>(above - first_of_level_.begin());
  const std::uint64_t index = folder - first_of_level_[level - 1];
  const std::uint64_t behind = power_[level - 1];
  const auto width = static_cast<std::uint64_t>(anchor_.width);
  return {static_cast<int>(level), index % behind * width + index / behind};
}

FolderNumber AnchorTree::number_at(FolderPlace place) const {
  const auto level = static_cast<std::size_t>(place.level);
  const auto width = static_cast<std::uint64_t>(anchor_.width);
  const std::uint64_t index = place.rank % width * power_[level - 1] + place.rank / width;
  return first_of_level_[level - 1] + static_cast<FolderNumber>(index);
}

std::string AnchorTree::folder_path(FolderNumber folder) const {
  const FolderPlace place = place_of(folder);
  const auto width = static_cast<std::uint64_t>(anchor_.width);
  std::string path = anchor_.path;
  for (int level = 1; level <= place.level; ++level) {
    const std::uint64_t part = place.rank / power_[static_cast<std::size_t>(place.level - level)];
    fmt::format_to(std::back_inserter(path), "/vdb.{}_{}.dir", level, part % width + 1);
  }
  return path;
}

std::string AnchorTree::file_path(FileNumber file) const {
  return fmt::format("{}/vdb_f{:04}.file", folder_path(folder_of(file)), file);
}

std::optional<FileNumber> AnchorTree::number_of_name(const char* name) {
  constexpr const char* kPrefix = "vdb_f";
  if (std::strncmp(name, kPrefix, std::strlen(kPrefix)) != 0) return std::nullopt;
  const char* at = name + std::strlen(kPrefix);
  std::uint64_t number = 0;
  const char* const digits = at;
  for (; *at >= '0' && *at <= '9' && number < kMostFiles; ++at)
    number = number * 10 + static_cast<std::uint64_t>(*at - '0');
  if (at - digits < 4 || std::strcmp(at, ".file") != 0) return std::nullopt;
  return static_cast<FileNumber>(number);
}

std::optional<FolderNumber> AnchorTree::parent(FolderNumber folder) const {
  const FolderPlace place = place_of(folder);
  if (place.level == 1) return std::nullopt;
  return number_at({place.level - 1, place.rank / static_cast<std::uint64_t>(anchor_.width)});
}

std::vector<FolderNumber> AnchorTree::children(FolderNumber folder) const {
  std::vector<FolderNumber> found;
  const FolderPlace place = place_of(folder);
  if (place.level == anchor_.depth) return found;
  const auto width = static_cast<std::uint64_t>(anchor_.width);
  for (std::uint64_t child = 0; child < width; ++child)
    found.push_back(number_at({place.level + 1, place.rank * width + child}));
  return found;
}

bool AnchorTree::parent_exists(FolderNumber folder) const {
  const auto above = parent(folder);
  return !above || folder_exists(*above);
}

bool AnchorTree::take(FileNumber file, bool share) {
  std::uint32_t seen = word(file);
  do {
    if ((seen & kAlone) != 0 || (!share && seen >= kUser)) return false;
  } while (!files_[file].compare_exchange_weak(seen, seen + kUser));
  return true;
}

bool AnchorTree::take_alone(FileNumber file) {
  std::uint32_t seen = word(file);
  do {
    if ((seen & kAlone) != 0 || seen >= kUser) return false;
  } while (!files_[file].compare_exchange_weak(seen, seen | kAlone));
  return true;
}

void AnchorTree::leave(FileNumber file) {
  if ((word(file) & kAlone) != 0)
    files_[file].fetch_and(~kAlone);
  else
    files_[file].fetch_sub(kUser);
}

bool AnchorTree::take_folder(FolderNumber folder) {
  return (folders_[folder].fetch_or(kAlone) & kAlone) == 0;
}

void AnchorTree::leave_folder(FolderNumber folder) { folders_[folder].fetch_and(~kAlone); }

std::uint64_t AnchorTree::current_size(FileNumber file) const {
  const std::uint32_t state = word(file);
  if ((state & kExists) == 0) return 0;
  if ((state & kFull) != 0) return size_of(file);
  const std::lock_guard<std::mutex> hold(lock_);
  const auto known = extra_.find(file);
  return known == extra_.end() ? 0 : known->second.size;
}

void AnchorTree::set_there(FileNumber file, std::uint64_t size) {
  const bool is_full = size == size_of(file);
  if (!is_full) {
    const std::lock_guard<std::mutex> hold(lock_);
    const auto known = extra_.find(file);
    if (known != extra_.end())
      known->second.size = size;
    else if (size > 0)
      extra_[file].size = size;
  }
  const std::uint32_t before =
      is_full ? files_[file].fetch_or(kExists | kFull) : files_[file].fetch_or(kExists);
  if (!is_full && (before & kFull) != 0) files_[file].fetch_and(~kFull);
  if ((before & kExists) != 0) return;
  if ((before & kUnused) == 0) ++existing_;
  ++in_folder_[folder_of(file)];
}

void AnchorTree::set_gone(FileNumber file) {
  const std::uint32_t before = files_[file].fetch_and(~(kExists | kFull));
  if ((before & kExists) == 0) return;
  if ((before & kUnused) == 0) --existing_;
  --in_folder_[folder_of(file)];
  const std::lock_guard<std::mutex> hold(lock_);
  extra_.erase(file);
}

std::uint64_t AnchorTree::last_offset(FileNumber file) const {
  const std::lock_guard<std::mutex> hold(lock_);
  const auto known = extra_.find(file);
  return known == extra_.end() ? 0 : known->second.last;
}

void AnchorTree::set_last_offset(FileNumber file, std::uint64_t offset) {
  const std::lock_guard<std::mutex> hold(lock_);
  extra_[file].last = offset;
}

void AnchorTree::set_folder_there(FolderNumber folder) {
  if ((folders_[folder].fetch_or(kExists) & kExists) == 0) ++existing_folders_;
}

void AnchorTree::set_folder_gone(FolderNumber folder) {
  if ((folders_[folder].fetch_and(~kExists) & kExists) != 0) --existing_folders_;
}

// A file at random that nobody had yet.
std::optional<FileNumber> AnchorTree::next_once(Prng& prng) {
  const FileNumber count = used_files();
  if (selected_.fetch_add(1) >= count) return std::nullopt;
  auto at = static_cast<FileNumber>(prng.below(count));
  for (unsigned tries = 0;; ++tries) {
    const FileNumber file = used_file(at);
    if ((files_[file].fetch_or(kSelected) & kSelected) == 0) return file;
    at = tries < kTriesOfOnce ? static_cast<FileNumber>(prng.below(count)) : (at + 1) % count;
  }
}

std::optional<FileNumber> AnchorTree::next_file(const FileChoice& choice, Prng& prng) {
  const FileNumber count = used_files();
  if (count == 0) return std::nullopt;
  if (choice.random && choice.once) return next_once(prng);
  if (choice.random && choice.poisson_midpoint > 0) {
    const double drawn = -std::log(unit(prng)) * count / choice.poisson_midpoint;
    return used_file(static_cast<FileNumber>(static_cast<std::uint64_t>(drawn) % count));
  }
  if (choice.random) return used_file(static_cast<FileNumber>(prng.below(count)));
  const std::uint64_t at = file_cursor_.fetch_add(1);
  if (choice.once && at >= count) return std::nullopt;
  return used_file(static_cast<FileNumber>(at % count));
}

FolderNumber AnchorTree::next_folder(bool random, Prng& prng) {
  if (random) return static_cast<FolderNumber>(prng.below(folder_count_));
  return static_cast<FolderNumber>(folder_cursor_.fetch_add(1) % folder_count_);
}

}  // namespace stallproof
