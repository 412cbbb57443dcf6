// zlib for Swift: reading a file that may be compressed with gzip.
#ifndef HOTGLUE_CZLIB_H
#define HOTGLUE_CZLIB_H

#include <zlib.h>

#endif
