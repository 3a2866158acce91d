/* The checks at the door: after these a kernel may trust type, shape and bounds. */
#include "binding.h"

#include <math.h>
#include <string.h>

static Py_ssize_t size_of_format(char format)
{
    switch (format) {
    case 'b': case 'B': return 1;
    case 'h': case 'H': return 2;
    case 'i': case 'I': case 'f': return 4;
    case 'q': case 'Q': case 'd': case 'F': return 8;
    case 'D': return 16;
    default: return 0;
    }
}

static int format_matches(const Py_buffer *view, char wanted)
{
    const char *given = view->format ? view->format : "B";
    if (given[0] == '<' || given[0] == '=' || given[0] == '@')
        given++;
    if (wanted == 'F' || wanted == 'D') {
        if (given[0] != 'Z')
            return 0;
        given++;
        return given[0] == (wanted == 'F' ? 'f' : 'd') && given[1] == 0;
    }
    char letter = given[0];
    if (letter == 'l')  /* NumPy calls int64 'l' where long has 64 bits */
        letter = 'q';
    if (letter == 'L')
        letter = 'Q';
    if (letter == '?' || letter == 'c')
        letter = 'B';
    return letter == wanted && given[1] == 0 && view->itemsize == size_of_format(wanted);
}

int get_array(PyObject *object, const struct array_spec *spec, Py_buffer *view)
{
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (spec->writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, view, flags) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_MemoryError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "%s: a %sC-contiguous buffer is needed", spec->name,
                         spec->writable ? "writable " : "");
        }
        return -1;
    }
    if (spec->format ? !format_matches(view, spec->format) : view->itemsize != spec->itemsize) {
        PyErr_Format(PyExc_TypeError, "%s: items of another type are needed (got format '%s', %zd octets)", spec->name,
                     view->format ? view->format : "B", view->itemsize);
        PyBuffer_Release(view);
        return -1;
    }
    if (spec->ndim && view->ndim != spec->ndim) {
        PyErr_Format(PyExc_ValueError, "%s: %d dimensions are needed, got %d", spec->name, spec->ndim, view->ndim);
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

int get_arrays(PyObject *const *objects, const struct array_spec *specs, Py_buffer *views, int n)
{
    for (int i = 0; i < n; i++) {
        if (get_array(objects[i], &specs[i], &views[i]) < 0) {
            release_arrays(views, i);
            return -1;
        }
    }
    return 0;
}

void release_arrays(Py_buffer *views, int n)
{
    for (int i = 0; i < n; i++)
        PyBuffer_Release(&views[i]);
}

int get_int(PyObject *object, const char *name, long long low, long long high, long long *value)
{
    PyObject *index = PyNumber_Index(object);
    if (!index)
        return -1;
    *value = PyLong_AsLongLong(index);
    Py_DECREF(index);
    if (*value == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return -1;
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s is outside %lld to %lld", name, low, high);
        return -1;
    }
    if (*value < low || *value > high) {
        PyErr_Format(PyExc_ValueError, "%s is %lld, outside %lld to %lld", name, *value, low, high);
        return -1;
    }
    return 0;
}

int get_real(PyObject *object, const char *name, double low, double high, double *value)
{
    *value = PyFloat_AsDouble(object);
    if (*value == -1.0 && PyErr_Occurred())
        return -1;
    if (!isfinite(*value) || *value < low || *value > high) {
        PyErr_Format(PyExc_ValueError, "%s is outside its range", name);
        return -1;
    }
    return 0;
}

int check_count(const char *function, Py_ssize_t given, Py_ssize_t wanted)
{
    if (given == wanted)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, got %zd", function, wanted, given);
    return -1;
}
