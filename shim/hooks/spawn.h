/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_SPAWN_H
#define TCPDIAG_SPAWN_H

/* Before a process or a thread is made that gets a copy of the descriptors or, with CLONE_FILES,
   has the same (clone(2)). flags 0: a fork. errno is changed. */
void tcpdiag_about_to_clone(unsigned long flags);

/* Before the calling thread gets descriptors of its own (unshare(2), close_range(2)). The same. */
void tcpdiag_about_to_part(void);

#endif
