# SPDX-License-Identifier: Apache-2.0
# cmake -DOUT=x.cpp -DASSETS=dir -DUPLOT=dir -P embed.cmake: what a page carries, as C++ functions.
# Without UPLOT (the npm package's folder) its parts are empty.
set(body "// SPDX-License-Identifier: Apache-2.0\n#include \"harness/sink/report/interactive.h\"\n\n")
string(APPEND body "namespace stallproof {\n\n")
function(embed name file)
  set(text "")
  if(EXISTS "${file}")
    file(READ "${file}" text)
  endif()
  set(body "${body}std::string_view ${name}() {\n  return R\"embedded(${text})embedded\";\n}\n\n"
      PARENT_SCOPE)
endfunction()
embed(report_style "${ASSETS}/report.css")
embed(zoom_script "${ASSETS}/zoom.js")
embed(uplot_script "${UPLOT}/dist/uPlot.iife.min.js")
embed(uplot_style "${UPLOT}/dist/uPlot.min.css")
embed(uplot_licence "${UPLOT}/LICENSE")
file(WRITE ${OUT} "${body}}  // namespace stallproof\n")
