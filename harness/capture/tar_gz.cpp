// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/tar_gz.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace stallproof {
namespace {

constexpr std::size_t kBlock = 512;
constexpr int kGzip = 15 + 16;  // window bits of zlib, plus 16: a gzip wrapper

// Offsets and widths of a ustar header.
struct Field {
  std::size_t at, width;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kTime{136, 12}, kChecksum{148, 8}, kType{156, 1}, kMagic{257, 8};

using Header = std::array<char, kBlock>;

void put(Header& header, Field field, std::string_view text) {
  std::memcpy(header.data() + field.at, text.data(), std::min(text.size(), field.width));
}

void put_octal(Header& header, Field field, std::uint64_t value) {
  put(header, field, fmt::format("{:0{}o}", value, field.width - 1));
}

unsigned checksum(const Header& header) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.width;
    sum += own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

Header header_of(const std::string& name, std::uint64_t size, std::int64_t time) {
  Header header{};
  put(header, kName, name);
  put_octal(header, kMode, 0644);
  put_octal(header, kOwner, 0);
  put_octal(header, kGroup, 0);
  put_octal(header, kSize, size);
  put_octal(header, kTime, static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)));
  put(header, kType, "0");
  put(header, kMagic,
      std::string_view("ustar\0"
                       "00",
                       8));
  put(header, kChecksum, fmt::format("{:06o}", checksum(header)));
  header[kChecksum.at + 7] = ' ';
  return header;
}

std::uint64_t octal(const char* text, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width && text[i] >= '0' && text[i] <= '7'; ++i)
    value = value * 8 + static_cast<std::uint64_t>(text[i] - '0');
  return value;
}

Result<std::string> gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return fail("gzip: zlib has no memory", Origin::infra);
  std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int done = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (done != Z_STREAM_END) return fail("gzip: zlib did not finish", Origin::infra);
  return packed;
}

}  // namespace

Result<std::string> make_tar_gz(const std::string& folder, const std::vector<ArchiveFile>& files,
                                std::int64_t seconds_since_epoch) {
  std::string tar;
  for (const ArchiveFile& file : files) {
    const std::string name = folder + "/" + file.name;
    if (name.size() > kName.width)
      return fail(fmt::format("archive: the name {} has more than {} bytes", name, kName.width));
    const Header header = header_of(name, file.content.size(), seconds_since_epoch);
    tar.append(header.data(), header.size());
    tar += file.content;
    tar.append((kBlock - tar.size() % kBlock) % kBlock, '\0');
  }
  tar.append(2 * kBlock, '\0');
  return gzip(tar);
}

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

Result<std::string> gunzip(std::string_view bytes, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK)
    return fail("gunzip: zlib has no memory", Origin::infra);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  std::array<char, 65536> chunk;
  int done = Z_OK;
  while (done == Z_OK && text.size() <= limit) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    done = inflate(&stream, Z_NO_FLUSH);
    text.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (text.size() > limit) return fail(fmt::format("gunzip: more than {} bytes inside", limit));
  if (done != Z_STREAM_END) return fail("gunzip: damaged or cut");
  return text;
}

Result<std::vector<ArchiveFile>> read_tar_gz(std::string_view bytes, std::size_t limit) {
  const auto tar = gunzip(bytes, limit);
  if (!tar) return Failure(tar.error());
  std::vector<ArchiveFile> files;
  for (std::size_t at = 0; at + kBlock <= tar->size() && (*tar)[at] != '\0';) {
    Header header;
    std::memcpy(header.data(), tar->data() + at, kBlock);
    if (octal(header.data() + kChecksum.at, kChecksum.width) != checksum(header))
      return fail("archive: not a tar archive, or damaged");
    const std::uint64_t size = octal(header.data() + kSize.at, kSize.width);
    at += kBlock;
    if (size > tar->size() - at) return fail("archive: cut in the middle of a file");
    const char type = header[kType.at];
    const std::size_t length = ::strnlen(header.data(), kName.width);
    if (type == '0' || type == '\0')
      files.push_back({std::string(header.data(), length), tar->substr(at, size)});
    at += (size + kBlock - 1) / kBlock * kBlock;
  }
  if (files.empty()) return fail("archive: no file inside");
  return files;
}

}  // namespace stallproof
