/* Python's way to the kernels of ../t4.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

PyMethodDef t4_methods[] = {
    {NULL, NULL, 0, NULL},
};
