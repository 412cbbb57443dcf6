// Whether the kernel killed something for want of memory.
#ifndef HG_MEMORY_H
#define HG_MEMORY_H

#include <stdint.h>

/// Opens the count of such kills in this process's control group, -1 where the kernel tells none.
int hg_memory_open(void);
/// How many there were since the group was made; of a group that is not told 0.
uint64_t hg_memory_kills(int fd);

#endif
