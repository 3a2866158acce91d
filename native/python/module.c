/* The module faxcore.kernels._native: CPU levels, and the methods of every family. */
#include "binding.h"

#include <string.h>

#ifndef KERN_HASH
#error "KERN_HASH must carry the hash of the sources; build through setup.py"
#endif

const struct kernels *chosen = &kernels_baseline;

/* Every table this machine can run, slowest first, ended by NULL. */
static const struct kernels *runnable[4];

static void find_runnable(void)
{
    int n = 0;
    runnable[n++] = &kernels_baseline;
#if defined(__x86_64__)
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    if (avx2)
        runnable[n++] = &kernels_avx2;
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        runnable[n++] = &kernels_avx512;
#endif
    runnable[n] = NULL;
    chosen = runnable[n - 1];
}

static PyObject *levels(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    PyObject *names = PyList_New(0);
    for (int i = 0; names && runnable[i]; i++) {
        PyObject *name = PyUnicode_FromString(runnable[i]->level);
        if (!name || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *level(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyUnicode_FromString(chosen->level);
}

static PyObject *select_level(PyObject *self, PyObject *name)
{
    (void)self;
    for (int i = 0; runnable[i]; i++) {
        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, runnable[i]->level) == 0) {
            chosen = runnable[i];
            Py_RETURN_NONE;
        }
    }
    PyErr_Format(PyExc_ValueError, "CPU level %R is not one that this machine runs; levels() lists them", name);
    return NULL;
}

static PyMethodDef level_methods[] = {
    {"levels", levels, METH_NOARGS, NULL},
    {"level", level, METH_NOARGS, NULL},
    {"select_level", select_level, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int exec_module(PyObject *module)
{
    find_runnable();
    PyMethodDef *families[] = {level_methods, bank_methods, fsk_methods, line_methods,
                               page_methods, qam_methods, qam_acquire_methods, t38_methods, t4_methods};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (PyModule_AddFunctions(module, families[i]) < 0)
            return -1;
    }
    return PyModule_AddStringConstant(module, "source_hash", KERN_HASH);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec_module},
#if defined(Py_GIL_DISABLED)
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "The kernels of faxcore; see faxcore.kernels.", 0, NULL, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
