#ifndef FAXCORE_FSK_H
#define FAXCORE_FSK_H

#include <stddef.h>
#include <stdint.h>

#define FSK_KERNELS(X)

#endif
