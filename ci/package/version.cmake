# SPDX-License-Identifier: Apache-2.0
# SP_FULL_VERSION, what the program says it is, and SP_PACKAGE_VERSION, by which packages are
# sorted. A release is a tag vX.Y.Z; what is built between two is told by its commit:
#   on the tag, or without git   0.1.0                       0.1.0
#   before it                    0.1.0-dev.423+g0123abcd     0.1.0~423.g0123abcd  (423 commits so far)
#   after it                     0.1.0+7.g0123abcd           0.1.0+7.g0123abcd    (7 commits since)
# By itself: cmake -DPROJECT_VERSION=0.1.0 -DPROJECT_SOURCE_DIR=. -P ci/package/version.cmake
find_package(Git QUIET)

# sp_git(OUT WORD…): its answer; empty where it has none.
function(sp_git out)
  execute_process(COMMAND ${GIT_EXECUTABLE} ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    RESULT_VARIABLE failed OUTPUT_VARIABLE answer ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed EQUAL 0)
    set(answer "")
  endif()
  set(${out} "${answer}" PARENT_SCOPE)
endfunction()

# sp_commit_count(OUT): what rises with every commit. A shallow clone does not know it: 0, so that
# what is built of one and the same commit by many machines is one version.
function(sp_commit_count out)
  sp_git(shallow rev-parse --is-shallow-repository)
  if(shallow STREQUAL "false")
    sp_git(count rev-list --count HEAD)
  else()
    set(count 0)
    message(STATUS "shallow clone: packages of it do not sort by commit (git fetch --unshallow)")
  endif()
  set(${out} ${count} PARENT_SCOPE)
endfunction()

set(SP_FULL_VERSION ${PROJECT_VERSION})
set(SP_PACKAGE_VERSION ${PROJECT_VERSION})
if(GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  sp_git(commit rev-parse --short=8 HEAD)
  sp_git(since describe --tags --long --match v${PROJECT_VERSION} HEAD)
  if(commit AND NOT since)
    sp_commit_count(count)
    set(SP_FULL_VERSION ${PROJECT_VERSION}-dev.${count}+g${commit})
    set(SP_PACKAGE_VERSION ${PROJECT_VERSION}~${count}.g${commit})
  elseif(commit AND since MATCHES "-([1-9][0-9]*)-g[0-9a-f]+$")
    set(SP_FULL_VERSION ${PROJECT_VERSION}+${CMAKE_MATCH_1}.g${commit})
    set(SP_PACKAGE_VERSION ${SP_FULL_VERSION})
  endif()
endif()

if(CMAKE_SCRIPT_MODE_FILE)
  message("${SP_FULL_VERSION} ${SP_PACKAGE_VERSION}")
  return()
endif()

# The next commit configures anew.
if(GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  sp_git(moves rev-parse --git-path logs/HEAD)
  get_filename_component(moves "${moves}" ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
  if(EXISTS ${moves})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${moves})
  endif()
endif()
