/* Python's way to the kernels of ../t4.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

/* work: room for the changes of two lines */
static int check_work(const Py_buffer *work)
{
    if (work->len >= T4_WORK * (Py_ssize_t)sizeof(uint16_t))
        return 0;
    PyErr_Format(PyExc_ValueError, "work: %d items are needed", T4_WORK);
    return -1;
}

static int check_rows(const Py_buffer *rows, long long width)
{
    if (rows->shape[1] == (width + 7) / 8)
        return 0;
    PyErr_Format(PyExc_ValueError, "rows: %lld octets a row are needed for %lld pels, got %zd", (width + 7) / 8, width,
                 rows->shape[1]);
    return -1;
}

static PyObject *t4_encode(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    static const struct array_spec specs[] = {
        {"rows", 'B', 2, 0, 0}, {"out", 'B', 1, 1, 0}, {"work", 'H', 1, 1, 0},
    };
    (void)self;
    long long width, coding, k, min_line_bits;
    if (check_count("t4_encode", n, 7) < 0 || get_int(args[1], "width", 1, T4_MAX_WIDTH, &width) < 0
        || get_int(args[2], "coding", T4_MH, T4_MMR, &coding) < 0 || get_int(args[3], "k", 1, INT32_MAX, &k) < 0
        || get_int(args[4], "min_line_bits", 0, 1 << 20, &min_line_bits) < 0)
        return NULL;
    PyObject *arrays[] = {args[0], args[5], args[6]};
    Py_buffer views[3];
    if (get_arrays(arrays, specs, views, 3) < 0)
        return NULL;
    PyObject *result = NULL;
    if (check_rows(&views[0], width) < 0 || check_work(&views[2]) < 0)
        goto done;
    int64_t bound = t4_bound(views[0].shape[0], (int32_t)width, (int32_t)min_line_bits);
    if (views[1].len < bound) {
        PyErr_Format(PyExc_ValueError, "out: %lld octets are needed", (long long)bound);
        goto done;
    }
    int64_t written;
    Py_BEGIN_ALLOW_THREADS
    written = chosen->t4_encode(views[0].buf, views[0].shape[0], (int32_t)width, (int32_t)coding, (int32_t)k,
                                (int32_t)min_line_bits, views[1].buf, views[2].buf);
    Py_END_ALLOW_THREADS
    result = PyLong_FromLongLong(written);
done:
    release_arrays(views, 3);
    return result;
}

/* The padding keeps the reader inside the buffer, so its zeros are part of the check. */
static int check_padding(const Py_buffer *octets)
{
    const uint8_t *end = (const uint8_t *)octets->buf + octets->len;
    int all = 0;
    for (int i = 1; octets->len >= T4_PADDING && i <= T4_PADDING; i++)
        all |= end[-i];
    if (octets->len >= T4_PADDING && !all)
        return 0;
    PyErr_Format(PyExc_ValueError, "octets: %d zero octets are needed behind the coded ones", T4_PADDING);
    return -1;
}

static PyObject *t4_decode(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    static const struct array_spec specs[] = {
        {"octets", 'B', 1, 0, 0}, {"rows", 'B', 2, 1, 0}, {"bad", 'B', 1, 1, 0}, {"work", 'H', 1, 1, 0},
    };
    (void)self;
    long long width, coding;
    if (check_count("t4_decode", n, 6) < 0 || get_int(args[1], "coding", T4_MH, T4_MMR, &coding) < 0
        || get_int(args[2], "width", 1, T4_MAX_WIDTH, &width) < 0)
        return NULL;
    PyObject *arrays[] = {args[0], args[3], args[4], args[5]};
    Py_buffer views[4];
    if (get_arrays(arrays, specs, views, 4) < 0)
        return NULL;
    PyObject *result = NULL;
    if (check_padding(&views[0]) < 0 || check_rows(&views[1], width) < 0 || check_work(&views[3]) < 0)
        goto done;
    if (views[2].len < views[1].shape[0]) {
        PyErr_SetString(PyExc_ValueError, "bad: one item a row is needed");
        goto done;
    }
    int64_t rows;
    int32_t complete;
    Py_BEGIN_ALLOW_THREADS
    rows = chosen->t4_decode(views[0].buf, views[0].len - T4_PADDING, (int32_t)coding, (int32_t)width,
                             views[1].shape[0], views[1].buf, views[2].buf, views[3].buf, &complete);
    Py_END_ALLOW_THREADS
    result = Py_BuildValue("(Li)", (long long)rows, (int)complete);
done:
    release_arrays(views, 4);
    return result;
}

static PyObject *t4_reverse(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    static const struct array_spec spec = {"octets", 'B', 1, 1, 0};
    (void)self;
    Py_buffer view;
    if (check_count("t4_reverse", n, 1) < 0 || get_array(args[0], &spec, &view) < 0)
        return NULL;
    chosen->t4_reverse(view.buf, view.len);
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

PyMethodDef t4_methods[] = {
    {"t4_encode", VECTORCALL(t4_encode), METH_FASTCALL, NULL},
    {"t4_decode", VECTORCALL(t4_decode), METH_FASTCALL, NULL},
    {"t4_reverse", VECTORCALL(t4_reverse), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
