// SPDX-License-Identifier: Apache-2.0
// The least that keeps I/Os in flight on a file: what any engine's speed is measured against. One
// thread, one ring, registered buffers and file; no clock, no counters, no checks for each I/O.
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

struct Words {
  std::string file;
  std::uint32_t block = 4096;
  std::uint32_t depth = 32;
  std::uint32_t read_percent = 100;
  bool sequential = false;
  double warm_s = 1;
  double seconds = 2;
};

[[noreturn]] void give_up(const char* what, int error) {
  std::fprintf(stderr, "bare_loop: %s: %s\n", what, std::strerror(error));
  std::exit(1);
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Loop {
 public:
  explicit Loop(const Words& words) : words_(words) {
    fd_ = ::open(words.file.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
    if (fd_ < 0) give_up(words.file.c_str(), errno);
    struct stat about {};
    ::fstat(fd_, &about);
    blocks_ = static_cast<std::uint64_t>(about.st_size) / words.block;
    if (S_ISBLK(about.st_mode))
      blocks_ = static_cast<std::uint64_t>(::lseek(fd_, 0, SEEK_END)) / words.block;
    if (blocks_ == 0) give_up(words.file.c_str(), EINVAL);
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    if (const int error = ::io_uring_queue_init_params(words.depth, &ring_, &params); error != 0)
      give_up("io_uring", -error);
    const std::size_t all = std::size_t{words.depth} * words.block;
    memory_ = static_cast<char*>(std::aligned_alloc(4096, all));
    std::memset(memory_, 0x5a, all);
    std::vector<iovec> pieces;
    for (std::uint32_t i = 0; i < words.depth; ++i)
      pieces.push_back({memory_ + std::size_t{i} * words.block, words.block});
    if (const int error = ::io_uring_register_buffers(&ring_, pieces.data(), words.depth);
        error != 0)
      give_up("registering buffers", -error);
    if (const int error = ::io_uring_register_files(&ring_, &fd_, 1); error != 0)
      give_up("registering the file", -error);
  }

  // Completed I/Os and the seconds they took, without the warm-up.
  void run() {
    for (std::uint32_t i = 0; i < words_.depth; ++i) start(i);
    pump(words_.warm_s);
    const double began = now_s();
    const std::uint64_t before = done_;
    pump(words_.seconds);
    std::printf("{\"ios\": %llu, \"seconds\": %.6f}\n",
                static_cast<unsigned long long>(done_ - before), now_s() - began);
  }

 private:
  std::uint64_t draw() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_ >> 16U;
  }

  void start(std::uint32_t i) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
    const std::uint64_t block = words_.sequential ? next_++ % blocks_ : draw() % blocks_;
    char* const buffer = memory_ + std::size_t{i} * words_.block;
    if (words_.read_percent == 100 || draw() % 100 < words_.read_percent)
      ::io_uring_prep_read_fixed(entry, 0, buffer, words_.block, block * words_.block,
                                 static_cast<int>(i));
    else
      ::io_uring_prep_write_fixed(entry, 0, buffer, words_.block, block * words_.block,
                                  static_cast<int>(i));
    entry->flags |= IOSQE_FIXED_FILE;
    ::io_uring_sqe_set_data64(entry, i);
  }

  void pump(double seconds) {
    const double end = now_s() + seconds;
    for (std::uint32_t turn = 1; turn % 16 != 0 || now_s() < end; ++turn) {
      if (const int error = ::io_uring_submit_and_wait(&ring_, 1); error < 0 && error != -EINTR)
        give_up("submit", -error);
      unsigned head = 0;
      unsigned taken = 0;
      io_uring_cqe* entry = nullptr;
      io_uring_for_each_cqe(&ring_, head, entry) {
        if (entry->res != static_cast<int>(words_.block)) give_up("an I/O", -entry->res);
        start(static_cast<std::uint32_t>(entry->user_data));
        ++taken;
      }
      ::io_uring_cq_advance(&ring_, taken);
      done_ += taken;
    }
  }

  const Words words_;
  int fd_ = -1;
  std::uint64_t blocks_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t state_ = 0x9e3779b97f4a7c15U;
  io_uring ring_{};
  char* memory_ = nullptr;
  std::uint64_t done_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Keeps --depth I/Os in flight on FILE and counts them");
  Words words;
  app.add_option("file", words.file)->required();
  app.add_option("--block", words.block);
  app.add_option("--depth", words.depth);
  app.add_option("--read-percent", words.read_percent);
  app.add_flag("--sequential", words.sequential);
  app.add_option("--warm", words.warm_s);
  app.add_option("--seconds", words.seconds);
  CLI11_PARSE(app, argc, argv);
  Loop(words).run();
}
