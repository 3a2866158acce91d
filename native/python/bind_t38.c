/* Python's way to the kernels of ../t38.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

enum { LONGEST_PACKET = 0x3fff, MOST_DEPTH = 15 };

/* The sum of n sizes, each `least` to `most`; -1 with ValueError. */
static Py_ssize_t total_of(const Py_buffer *view, const char *name, int32_t least, int32_t most)
{
    const int32_t *sizes = view->buf;
    Py_ssize_t n = view->len / 4, total = 0;
    if ((uintptr_t)sizes % 4) {
        PyErr_Format(PyExc_ValueError, "%s is not aligned", name);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (sizes[i] < least || sizes[i] > most) {
            PyErr_Format(PyExc_ValueError, "%s: %d is outside %d to %d", name, sizes[i], least, most);
            return -1;
        }
        total += sizes[i];
    }
    return total;
}

static int too_small(int bad, const char *what)
{
    if (bad)
        PyErr_SetString(PyExc_ValueError, what);
    return bad;
}

static PyObject *t38_pack(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    static const struct array_spec specs[5] = {
        {"octets", 'B', 1, 0, 0}, {"lengths", 'i', 1, 0, 0}, {"out", 'B', 1, 1, 0}, {"sizes", 'i', 1, 1, 0},
        {"bits", 'q', 1, 1, 0}};
    long long chunk, head, form, raw;
    if (check_count("t38_pack", nargs, 9) < 0 || get_int(args[2], "chunk", 1, LONGEST_PACKET - 6, &chunk) < 0
        || get_int(args[3], "head", 0, 255, &head) < 0 || get_int(args[4], "form", 0, 1, &form) < 0
        || get_int(args[5], "raw", 0, 1, &raw) < 0)
        return NULL;
    PyObject *objects[5] = {args[0], args[1], args[6], args[7], args[8]};
    Py_buffer views[5];
    if (get_arrays(objects, specs, views, 5) < 0)
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t total = total_of(&views[1], "lengths", 1, 1 << 27);
    Py_ssize_t packets = 0;
    for (Py_ssize_t i = 0; total >= 0 && i < views[1].len / 4; i++)
        packets += (((const int32_t *)views[1].buf)[i] + (Py_ssize_t)chunk - 1) / (Py_ssize_t)chunk;
    if (total >= 0
        && !too_small(total != views[0].len || views[2].len < total + 6 * packets || views[3].len / 4 < packets
                          || views[4].len / 8 < packets + 1 || (uintptr_t)views[3].buf % 4
                          || (uintptr_t)views[4].buf % 8,
                      "lengths add up to octets; out, sizes and bits are aligned and have room")) {
        int64_t made;
        Py_BEGIN_ALLOW_THREADS
        made = chosen->t38_pack(views[0].buf, views[1].buf, (size_t)views[1].len / 4, (size_t)chunk, (int)head,
                                (int)form, (int)raw, views[2].buf, views[3].buf, views[4].buf);
        Py_END_ALLOW_THREADS
        result = PyLong_FromLongLong(made);
    }
    release_arrays(views, 5);
    return result;
}

static PyObject *t38_wrap(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    static const struct array_spec specs[4] = {
        {"packets", 'B', 1, 0, 0}, {"sizes", 'i', 1, 0, 0}, {"out", 'B', 1, 1, 0}, {"out_sizes", 'i', 1, 1, 0}};
    long long sent, depth, limit, sequence;
    if (check_count("t38_wrap", nargs, 8) < 0 || get_int(args[2], "sent", 0, MOST_DEPTH, &sent) < 0
        || get_int(args[3], "depth", 0, MOST_DEPTH, &depth) < 0
        || get_int(args[4], "limit", 0, 1 << 20, &limit) < 0
        || get_int(args[5], "sequence", 0, 0xffff, &sequence) < 0)
        return NULL;
    PyObject *objects[4] = {args[0], args[1], args[6], args[7]};
    Py_buffer views[4];
    if (get_arrays(objects, specs, views, 4) < 0)
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t total = total_of(&views[1], "sizes", 1, LONGEST_PACKET), n = views[1].len / 4;
    if (total >= 0
        && !too_small(total != views[0].len || sent > n || views[3].len / 4 < n - sent
                          || views[2].len < (total + 2 * n) * (depth + 1) + 4 * n || (uintptr_t)views[3].buf % 4,
                      "sizes add up to packets; out and out_sizes are aligned and have room")) {
        int64_t made;
        Py_BEGIN_ALLOW_THREADS
        made = chosen->t38_wrap(views[0].buf, views[1].buf, (size_t)n, (size_t)sent, (int)depth, (int64_t)limit,
                                (int)sequence, views[2].buf, views[3].buf);
        Py_END_ALLOW_THREADS
        result = PyLong_FromLongLong(made);
    }
    release_arrays(views, 4);
    return result;
}

static PyObject *t38_unwrap(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    static const struct array_spec specs[5] = {
        {"datagrams", 'B', 1, 0, 0}, {"sizes", 'i', 1, 0, 0}, {"out", 'B', 1, 1, 0}, {"ends", 'i', 1, 1, 0},
        {"within", 'i', 1, 1, 0}};
    long long sequence, head, form, raw;
    if (check_count("t38_unwrap", nargs, 9) < 0 || get_int(args[2], "sequence", 0, 0xffff, &sequence) < 0
        || get_int(args[3], "head", 0, 255, &head) < 0 || get_int(args[4], "form", 0, 1, &form) < 0
        || get_int(args[5], "raw", 0, 1, &raw) < 0)
        return NULL;
    PyObject *objects[5] = {args[0], args[1], args[6], args[7], args[8]};
    Py_buffer views[5];
    if (get_arrays(objects, specs, views, 5) < 0)
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t total = total_of(&views[1], "sizes", 0, 1 << 16), n = views[1].len;
    if (total >= 0
        && !too_small(total != views[0].len || views[2].len < total || views[3].len < n || views[4].len < n
                          || (uintptr_t)views[3].buf % 4 || (uintptr_t)views[4].buf % 4,
                      "sizes add up to datagrams; out, ends and within are aligned and have room")) {
        struct t38_counts counts;
        Py_BEGIN_ALLOW_THREADS
        chosen->t38_unwrap(views[0].buf, views[1].buf, (size_t)n / 4, (int)sequence, (int)head, (int)form, (int)raw,
                           views[2].buf, views[3].buf, views[4].buf, &counts);
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("(LLL)", (long long)counts.datagrams, (long long)counts.octets,
                               (long long)counts.frames);
    }
    release_arrays(views, 5);
    return result;
}

PyMethodDef t38_methods[] = {
    {"t38_pack", VECTORCALL(t38_pack), METH_FASTCALL, NULL},
    {"t38_wrap", VECTORCALL(t38_wrap), METH_FASTCALL, NULL},
    {"t38_unwrap", VECTORCALL(t38_unwrap), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
