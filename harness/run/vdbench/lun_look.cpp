// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/lun_look.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr Nanos kAnswerWithin = 10 * kSecond;

Json problem(const std::string& what) { return Json{{"problem", what}}; }

Json problem(int error) { return problem(std::strerror(error)); }

Json device(const LunQuestion& question, bool allow_claimed) {
  const int mode = question.written ? O_RDWR : O_RDONLY;
  // O_EXCL without O_CREAT: refused while a mount, swap, LVM or md has claimed the device.
  Fd fd(::open(question.path.c_str(), mode | O_EXCL | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid() && errno == EBUSY) {
    if (!allow_claimed)
      return problem("is mounted or otherwise in use (--allow-claimed-device, if you are sure)");
    fd = Fd(::open(question.path.c_str(), mode | O_CLOEXEC | O_NONBLOCK));
  }
  if (!fd.valid()) return problem(errno);
  std::uint64_t size = 0;
  if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0) return problem(errno);
  return Json{{"size", size}, {"device", true}};
}

Json look(const LunQuestion& question, bool allow_claimed) {
  struct stat info {};
  if (::stat(question.path.c_str(), &info) != 0) {
    if (errno != ENOENT) return problem(errno);
    if (question.path.starts_with("/dev/")) return problem("there is no such device");
    if (!question.sized)
      return problem("does not exist, and without size= nobody knows how large to make it");
    const auto slash = question.path.rfind('/');
    const std::string folder =
        slash == std::string::npos ? "." : question.path.substr(0, slash + 1);
    if (::access(folder.c_str(), W_OK) != 0)
      return problem(fmt::format("cannot be made in {}: {}", folder, std::strerror(errno)));
    return Json{{"size", 0}, {"device", false}};
  }
  if (S_ISBLK(info.st_mode)) return device(question, allow_claimed);
  if (!S_ISREG(info.st_mode)) return problem("neither a file nor a block device");
  if (::access(question.path.c_str(), question.written ? W_OK | R_OK : R_OK) != 0)
    return problem(errno);
  return Json{{"size", info.st_size}, {"device", false}};
}

}  // namespace

Result<std::vector<Lun>> look_at_luns(const std::vector<LunQuestion>& questions,
                                      bool allow_claimed) {
  const BoundedText answer = text_bounded(
      [&](int into) {
        for (const LunQuestion& question : questions) {
          const std::string line = look(question, allow_claimed).dump() + "\n";
          if (::write(into, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
            return errno;
        }
        return 0;
      },
      Deadline::in(kAnswerWithin));
  std::vector<Lun> luns;
  std::size_t at = 0;
  for (const LunQuestion& question : questions) {
    const std::size_t end = answer.text.find('\n', at);
    if (end == std::string::npos)
      return fail(fmt::format("sd={}: {}: did not answer within {} s (its file system may be "
                              "stuck: try stallproof capture)",
                              question.name, question.path, kAnswerWithin / kSecond),
                  Origin::infra);
    const Json json = Json::parse(answer.text.substr(at, end - at));
    at = end + 1;
    if (json.contains("problem"))
      return fail(fmt::format("sd={}: {}: {}", question.name, question.path,
                              json.at("problem").get<std::string>()));
    luns.push_back({.path = question.path,
                    .size = json.at("size"),
                    .device = question.path.starts_with("/dev/") || json.at("device").get<bool>()});
  }
  return luns;
}

}  // namespace stallproof
