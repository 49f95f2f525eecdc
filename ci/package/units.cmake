# SPDX-License-Identifier: Apache-2.0
# At installation, when the prefix is known: the systemd units, naming the program that is installed.
set(bin ${sp_bindir})
if(NOT IS_ABSOLUTE "${bin}")
  set(bin ${CMAKE_INSTALL_PREFIX}/${bin})
endif()
file(GLOB units ${sp_units}/*)
foreach(unit ${units})
  file(READ ${unit} text)
  string(REPLACE "/usr/bin/" "${bin}/" text "${text}")
  get_filename_component(name ${unit} NAME)
  file(WRITE ${sp_made}/${name} "${text}")
  file(INSTALL ${sp_made}/${name} DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
endforeach()
