/* The table of kernels: one struct of function pointers per CPU level.
 *
 * A kernel family is a pair NAME.h / NAME.c that knows no Python. Its header lists the kernels in an
 * X-macro, X(result, name, (arguments)); its C file defines each as KERNEL(name). Files in levels/ include
 * every family once under their own target pragma, and so make one table each. */
#ifndef FAXCORE_KERNELS_H
#define FAXCORE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "bank.h"
#include "fsk.h"
#include "line.h"
#include "page.h"
#include "qam.h"
#include "qam_acquire.h"
#include "t38.h"
#include "t4.h"

#define ALL_KERNELS(X)                                                                                             \
    BANK_KERNELS(X) FSK_KERNELS(X) LINE_KERNELS(X) PAGE_KERNELS(X) QAM_KERNELS(X) QAM_ACQUIRE_KERNELS(X) \
    T38_KERNELS(X) T4_KERNELS(X)

struct kernels {
    const char *level;
#define KERNEL_FIELD(result, name, arguments) result(*name) arguments;
    ALL_KERNELS(KERNEL_FIELD)
#undef KERNEL_FIELD
};

extern const struct kernels kernels_baseline;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2;
extern const struct kernels kernels_avx512;
#endif

#endif
