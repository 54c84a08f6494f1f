/* SPDX-License-Identifier: MIT */
/*
 * Included in front of every file of the shim. One library has to load under every glibc since
 * 2.2.5 and under musl, so the symbols that glibc has re-versioned since are pinned to their first
 * version of the machine. A library that needs dlsym@GLIBC_2.34 keeps each program on an older
 * system from starting.
 */
#ifndef TCPDIAG_COMPAT_H
#define TCPDIAG_COMPAT_H

#define _GNU_SOURCE 1
#include <features.h>

#if defined(__GLIBC__) && !defined(TCPDIAG_NO_SYMVER)
#if defined(__x86_64__) && defined(__LP64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
#elif defined(__i386__)
__asm__(".symver dlsym, dlsym@GLIBC_2.0");
#elif defined(__aarch64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.17");
#elif defined(__riscv) && __riscv_xlen == 64
__asm__(".symver dlsym, dlsym@GLIBC_2.27");
#endif
#endif

#define TCPDIAG_LIKELY(x) __builtin_expect(!!(x), 1)
#define TCPDIAG_UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
