/* Python's way to the kernels of ../line.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

#include <string.h>

enum { WORTH_RELEASING = 1000 };

static PyObject *line_carry(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    long long position, law;
    double gain, sigma;
    if (check_count("line_carry", nargs, 7) < 0 || get_int(args[2], "position", 0, INT64_MAX, &position) < 0
        || get_real(args[4], "gain", -100, 100, &gain) < 0 || get_real(args[5], "sigma", 0, 1e5, &sigma) < 0
        || get_int(args[6], "law", LAW_NONE, LAW_A, &law) < 0)
        return NULL;
    PyObject *objects[3] = {args[0], args[1], args[3]};
    static const struct array_spec specs[3] = {{"samples", 'h', 1, 0, 0}, {"out", 'h', 1, 1, 0}, {"key", 'I', 1, 0, 0}};
    Py_buffer views[3];
    if (get_arrays(objects, specs, views, 3) < 0)
        return NULL;
    const int16_t *samples = views[0].buf;
    int16_t *out = views[1].buf;
    int bad = views[0].len != views[1].len || views[2].len != 3 * (Py_ssize_t)sizeof(uint32_t)
              || (uintptr_t)samples % 2 || (uintptr_t)out % 2;
    if (bad)
        PyErr_SetString(PyExc_ValueError, "samples and out are aligned and equally long, key has 3 items");
    else {
        size_t n = (size_t)(views[0].len / 2);
        uint32_t key[3];
        memcpy(key, views[2].buf, sizeof key);
        if (n > WORTH_RELEASING) {
            Py_BEGIN_ALLOW_THREADS
            chosen->line_carry(samples, out, n, (uint64_t)position, key, (float)gain, (float)sigma, (int)law);
            Py_END_ALLOW_THREADS
        } else
            chosen->line_carry(samples, out, n, (uint64_t)position, key, (float)gain, (float)sigma, (int)law);
    }
    release_arrays(views, 3);
    if (bad)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef line_methods[] = {
    {"line_carry", VECTORCALL(line_carry), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
