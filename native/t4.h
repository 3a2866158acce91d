#ifndef FAXCORE_T4_H
#define FAXCORE_T4_H

#include <stddef.h>
#include <stdint.h>

#define T4_KERNELS(X)

#endif
