/* Python's way to the kernels of ../page.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

static PyObject *page_threshold(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    long long threshold;
    if (check_count("page_threshold", nargs, 3) < 0 || get_int(args[1], "threshold", 0, 255, &threshold) < 0)
        return NULL;
    PyObject *objects[2] = {args[0], args[2]};
    static const struct array_spec specs[2] = {{"grey", 'B', 2, 0, 0}, {"rows", 'B', 2, 1, 0}};
    Py_buffer views[2];
    if (get_arrays(objects, specs, views, 2) < 0)
        return NULL;
    size_t height = (size_t)views[0].shape[0], width = (size_t)views[0].shape[1];
    int bad = views[1].shape[0] != views[0].shape[0] || (size_t)views[1].shape[1] != (width + 7) / 8;
    if (bad)
        PyErr_SetString(PyExc_ValueError, "rows has the shape (height, (width + 7) // 8)");
    else {
        Py_BEGIN_ALLOW_THREADS
        chosen->page_threshold(views[0].buf, width, height, (int)threshold, views[1].buf);
        Py_END_ALLOW_THREADS
    }
    release_arrays(views, 2);
    if (bad)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *page_mid_greys(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    long long low, high, pels, lines;
    if (check_count("page_mid_greys", nargs, 7) < 0 || get_int(args[1], "low", 0, 255, &low) < 0
        || get_int(args[2], "high", low, 255, &high) < 0 || get_int(args[3], "tile_pels", 1, PAGE_TILE_MOST, &pels) < 0
        || get_int(args[4], "tile_lines", 1, PAGE_TILE_MOST, &lines) < 0)
        return NULL;
    PyObject *objects[3] = {args[0], args[5], args[6]};
    static const struct array_spec specs[3] = {
        {"grey", 'B', 2, 0, 0}, {"columns", 'B', 1, 1, 0}, {"counts", 'i', 2, 1, 0}};
    Py_buffer views[3];
    if (get_arrays(objects, specs, views, 3) < 0)
        return NULL;
    Py_ssize_t height = views[0].shape[0], width = views[0].shape[1];
    int bad = views[1].len < width || views[2].shape[0] != (height + lines - 1) / lines
              || views[2].shape[1] != (width + pels - 1) / pels || (uintptr_t)views[2].buf % sizeof(int32_t);
    if (bad)
        PyErr_SetString(PyExc_ValueError, "columns has room for a line, counts an item for each tile");
    else {
        Py_BEGIN_ALLOW_THREADS
        chosen->page_mid_greys(views[0].buf, (size_t)width, (size_t)height, (int)low, (int)high, (size_t)pels,
                               (size_t)lines, views[1].buf, views[2].buf);
        Py_END_ALLOW_THREADS
    }
    release_arrays(views, 3);
    if (bad)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef page_methods[] = {
    {"page_threshold", VECTORCALL(page_threshold), METH_FASTCALL, NULL},
    {"page_mid_greys", VECTORCALL(page_mid_greys), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
