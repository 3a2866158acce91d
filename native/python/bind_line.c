/* Python's way to the kernels of ../line.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

PyMethodDef line_methods[] = {
    {NULL, NULL, 0, NULL},
};
