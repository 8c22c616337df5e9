# Language level, warnings and hardening for every target. tests/toolchain checks the result in the binaries.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)

include(CheckPIESupported)
check_pie_supported()

set(MITRAL_SANITIZE "" CACHE STRING "Sanitizers for the whole build, as -fsanitize= takes them")

add_library(mitral_options INTERFACE)
target_compile_options(mitral_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wundef -Werror
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi>
    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND MITRAL_SANITIZE)
    # GCC 12 with sanitizers reports uses inside the standard library that its own plain build does not.
    target_compile_options(mitral_options INTERFACE
        -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict)
endif()

if(MITRAL_SANITIZE)
    target_compile_options(mitral_options INTERFACE
        -fsanitize=${MITRAL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(mitral_options INTERFACE -fsanitize=${MITRAL_SANITIZE})
else()
    target_compile_options(mitral_options INTERFACE
        -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
    target_compile_definitions(mitral_options INTERFACE _GLIBCXX_ASSERTIONS)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
        target_compile_options(mitral_options INTERFACE -fcf-protection=full)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
        target_compile_options(mitral_options INTERFACE -mbranch-protection=standard)
    endif()
    target_link_options(mitral_options INTERFACE
        -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed)
endif()

if(MITRAL_FUZZ)
    target_compile_options(mitral_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(MITRAL_PRODUCTION)
    target_compile_definitions(mitral_options INTERFACE MITRAL_PRODUCTION=1)
endif()

if(MITRAL_FAIL_POINTS)
    if(MITRAL_PRODUCTION)
        message(FATAL_ERROR "MITRAL_FAIL_POINTS and MITRAL_PRODUCTION exclude each other")
    endif()
    target_compile_definitions(mitral_options INTERFACE MITRAL_FAIL_POINTS=1)
endif()

find_program(MITRAL_CCACHE ccache)
if(MITRAL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER "${MITRAL_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${MITRAL_CCACHE}")
endif()
