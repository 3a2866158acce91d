#ifndef FAXCORE_QAM_H
#define FAXCORE_QAM_H

#include <stddef.h>
#include <stdint.h>

#define QAM_KERNELS(X)

#endif
