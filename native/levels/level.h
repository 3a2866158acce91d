/* Included once per CPU level, after LEVEL and the target pragma are set: all kernels, then their table. */
#include "kernels.h"

#define KERNEL_PASTE(name, level) name##_##level
#define KERNEL_EXPAND(name, level) KERNEL_PASTE(name, level)
#define KERNEL(name) KERNEL_EXPAND(name, LEVEL)
#define LEVEL_STRING(level) #level
#define LEVEL_NAME(level) LEVEL_STRING(level)

#include "hdlc.c"
#include "fsk.c"
#include "line.c"
#include "page.c"
#include "qam.c"
#include "qam_fit.c"
#include "qam_trellis.c"
#include "qam_receive.c"
#include "qam_acquire.c"
#include "bank.c"
#include "bank_trellis.c"
#include "bank_lanes.c"
#include "bank_decide.c"
#include "bank_receive.c"
#include "t38.c"
#include "t4.c"

const struct kernels KERNEL(kernels) = {
    .level = LEVEL_NAME(LEVEL),
#define KERNEL_ENTRY(result, name, arguments) .name = KERNEL(name),
    ALL_KERNELS(KERNEL_ENTRY)
#undef KERNEL_ENTRY
};
