#ifndef FAXCORE_LINE_H
#define FAXCORE_LINE_H

#include <stddef.h>
#include <stdint.h>

#define LINE_KERNELS(X)

#endif
