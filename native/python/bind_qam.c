/* Python's way to the kernels of ../qam.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

PyMethodDef qam_methods[] = {
    {NULL, NULL, 0, NULL},
};
