/* Python's way to the kernels of ../page.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

static PyObject *page_bilevel(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    long long threshold, low, high, pels, lines;
    if (check_count("page_bilevel", nargs, 9) < 0 || get_int(args[1], "threshold", 0, 255, &threshold) < 0
        || get_int(args[2], "low", 0, 255, &low) < 0 || get_int(args[3], "high", low, 255, &high) < 0
        || get_int(args[4], "tile_pels", 1, PAGE_TILE_MOST, &pels) < 0
        || get_int(args[5], "tile_lines", 1, PAGE_TILE_MOST, &lines) < 0)
        return NULL;
    PyObject *objects[4] = {args[0], args[6], args[7], args[8]};
    static const struct array_spec specs[4] = {
        {"grey", 'B', 2, 0, 0}, {"columns", 'B', 1, 1, 0}, {"counts", 'i', 2, 1, 0}, {"rows", 'B', 2, 1, 0}};
    Py_buffer views[4];
    if (get_arrays(objects, specs, views, 4) < 0)
        return NULL;
    Py_ssize_t height = views[0].shape[0], width = views[0].shape[1];
    int bad = views[1].len < width || views[2].shape[0] != (height + lines - 1) / lines
              || views[2].shape[1] != (width + pels - 1) / pels || (uintptr_t)views[2].buf % sizeof(int32_t)
              || views[3].shape[0] != height || views[3].shape[1] != (width + 7) / 8;
    if (bad)
        PyErr_SetString(PyExc_ValueError, "columns has room for a line, counts an item for each tile, "
                                          "rows the shape (height, (width + 7) // 8)");
    else {
        Py_BEGIN_ALLOW_THREADS
        chosen->page_bilevel(views[0].buf, (size_t)width, (size_t)height, (int)threshold, (int)low, (int)high,
                             (size_t)pels, (size_t)lines, views[1].buf, views[2].buf, views[3].buf);
        Py_END_ALLOW_THREADS
    }
    release_arrays(views, 4);
    if (bad)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef page_methods[] = {
    {"page_bilevel", VECTORCALL(page_bilevel), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
