# SPDX-License-Identifier: Apache-2.0
# cmake -DOUT=x.cpp -DFILES="a.toml;b.toml" -P embed_fs.cmake: the files as one C++ table.
set(body "// SPDX-License-Identifier: Apache-2.0\n#include \"harness/explain/fs_shipped.h\"\n\n")
string(APPEND body "#include <array>\n\nnamespace stallproof {\nnamespace {\n")
list(LENGTH FILES count)
string(APPEND body "constexpr std::array<ShippedFs, ${count}> kFiles{{\n")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND body "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
string(APPEND body "}};\n}  // namespace\n\nstd::span<const ShippedFs> shipped_fs_files() { return kFiles; }\n\n}  // namespace stallproof\n")
file(WRITE ${OUT} "${body}")
