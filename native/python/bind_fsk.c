/* Python's way to the kernels of ../fsk.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

PyMethodDef fsk_methods[] = {
    {NULL, NULL, 0, NULL},
};
