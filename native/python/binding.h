/* What the binding files share: the chosen table of kernels and the checks at the door. */
#ifndef FAXCORE_BINDING_H
#define FAXCORE_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kernels.h"

/* The table in use; the only global that changes, and only through select_level(). */
extern const struct kernels *chosen;

/* Each family's methods, ended by a NULL entry. */
extern PyMethodDef bank_methods[], fsk_methods[], line_methods[], page_methods[], qam_methods[], qam_acquire_methods[],
    t38_methods[], t4_methods[];

/* An argument that must be a C-contiguous buffer. `format` is one struct-module letter ('B', 'b', 'h', 'i', 'I',
 * 'q', 'Q', 'f', 'd'; 'F' and 'D' for complex64 and complex128), or 0 for any type of `itemsize` octets. */
struct array_spec {
    const char *name;
    char format;
    int ndim;           /* 0: any */
    int writable;
    Py_ssize_t itemsize; /* only where format is 0 */
};

/* Fill `view` from `object`; 0, or -1 with TypeError/ValueError naming the argument. Release with PyBuffer_Release. */
int get_array(PyObject *object, const struct array_spec *spec, Py_buffer *view);

/* Get `n` arrays at once; on failure none stays held. */
int get_arrays(PyObject *const *objects, const struct array_spec *specs, Py_buffer *views, int n);
void release_arrays(Py_buffer *views, int n);

/* A whole number in [low, high]; 0, or -1 with TypeError/ValueError naming the argument. */
int get_int(PyObject *object, const char *name, long long low, long long high, long long *value);

/* A finite real number in [low, high]. */
int get_real(PyObject *object, const char *name, double low, double high, double *value);

/* TypeError unless exactly `wanted` positional arguments came. */
int check_count(const char *function, Py_ssize_t given, Py_ssize_t wanted);

#define VECTORCALL(function) ((PyCFunction)(void (*)(void))(function))

#endif
