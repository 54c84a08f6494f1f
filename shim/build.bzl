# SPDX-License-Identifier: MIT
"""How the shim is compiled and linked, for Bazel's compiler and for every other."""

# No __*_chk and no stack protector: musl has no such functions, and every symbol must exist in
# glibc and musl alike. The frame limit: a stranger's thread may have 16 KiB of stack in all.
# Small: a library in every process should be.
_RULES = [
    "-Os",
    "-U_FORTIFY_SOURCE",
    "-fno-stack-protector",
    "-Wframe-larger-than=1024",
]

_ALWAYS = [
    "-include shim/compat.h",
    "-fvisibility=hidden",
]

SHIM_COPTS = _ALWAYS + select({
    "//shim:sanitizer": [],
    "//conditions:default": _RULES,
})

def shim_room(name, visibility, deps, alwayslink = False):
    """A room of the library, and its files for compilers that Bazel does not know."""
    native.cc_library(
        name = name,
        srcs = native.glob(["*.c"]),
        hdrs = native.glob(["*.h"]),
        copts = SHIM_COPTS,
        linkstatic = True,  # the functions are hidden
        visibility = visibility,
        deps = ["//shim:compat"] + deps,
        alwayslink = alwayslink,
    )
    native.filegroup(
        name = "sources",
        srcs = native.glob(["*.c", "*.h"]),
        visibility = ["//shim:__pkg__"],
    )

SHIM_LINKOPTS = [
    "-Wl,--as-needed",
    "-Wl,-z,relro,-z,now,-z,noexecstack,-z,text",
    "-Wl,--gc-sections,-O2",
    # dlsym lives in libdl on systems before glibc 2.34.
    "-Wl,--no-as-needed,-l:libdl.so.2,--as-needed",
]

# Debian's compilers for the machines that are not this one. gcc-multilib, which has a link from
# /usr/include/asm, cannot be installed beside a cross compiler: hence the folder of the headers.
# Atomics of gcc 12 for AArch64 would need a constructor and getauxval of glibc 2.16.
SHIM_COMPILERS = {
    "aarch64": "aarch64-linux-gnu-gcc -mno-outline-atomics",
    "i386": "gcc -m32 -Wno-psabi -idirafter /usr/include/x86_64-linux-gnu",
    "riscv64": "riscv64-linux-gnu-gcc",
}

def shim_flags(name):
    """The flags for other compilers, one argument file."""
    native.genrule(
        name = name,
        outs = [name + ".txt"],
        cmd = "echo '%s' > $@" % " ".join(
            ["-std=gnu11 -Wall -Wextra -Werror -fPIC -shared -ffunction-sections -fdata-sections"] +
            _ALWAYS + _RULES + SHIM_LINKOPTS + ["-Wl,-z,noseparate-code"],
        ),
        visibility = ["//tests:__subpackages__"],
    )

def shim_for(machine):
    """//shim:MACHINE builds MACHINE/libtcpdiag.so; manual, since the compiler may be missing."""
    native.genrule(
        name = machine,
        srcs = [
            "exports.lds",
            ":flags",
            ":sources",
        ],
        outs = [machine + "/libtcpdiag.so"],
        cmd = "$(location cross.sh) $@ '%s' $(location :flags) $(location exports.lds) $(locations :sources)" %
              SHIM_COMPILERS[machine],
        tags = ["manual"],
        tools = ["cross.sh"],
        visibility = ["//visibility:public"],
    )
