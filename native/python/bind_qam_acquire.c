/* Python's way to the kernels of ../qam_acquire.h: every argument is checked here, nothing is checked there. */
#include "qam_sound.h"

static PyObject *front(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {{"samples", 'h', 1, 0, 0}, {"bank", 'h', 3, 0, 0}, {"out", 'F', 1, 1, 0}};
    long long clock, step;
    double turn;
    if (check_count("qam_front", count, 6) < 0 || get_int(args[2], "clock", -(1ll << 56), 1ll << 56, &clock) < 0
        || get_int(args[3], "step", 0, 1ll << 36, &step) < 0 || get_real(args[4], "turn", -1e3, 1e3, &turn) < 0)
        return NULL;
    PyObject *const arrays[] = {args[0], args[1], args[5]};
    Py_buffer views[3];
    if (get_arrays(arrays, specs, views, 3) < 0)
        return NULL;
    PyObject *result = NULL;
    if (views[1].shape[0] != QAM_PHASES || views[1].shape[1] != 2 || views[1].shape[2] != QAM_FRONT)
        PyErr_Format(PyExc_ValueError, "bank: shape (%d, 2, %d) is needed", QAM_PHASES, QAM_FRONT);
    else if (!within(views[0].shape[0], QAM_FRONT + 1, 1 << 30))
        PyErr_Format(PyExc_ValueError, "samples: at least %d are needed", QAM_FRONT + 1);
    else if (views[2].shape[0] > 1 << 20)
        PyErr_SetString(PyExc_ValueError, "out: at most 2^20 items");
    else {
        Py_BEGIN_ALLOW_THREADS
        chosen->qam_front(views[0].buf, views[0].shape[0], views[1].buf, clock, step, turn, views[2].shape[0], views[2].buf);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    release_arrays(views, 3);
    return result;
}

static PyObject *energy(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {{"samples", 'h', 1, 0, 0}, {"lines", 'f', 2, 0, 0}};
    Py_buffer views[2];
    if (check_count("qam_energy", count, 2) < 0 || get_arrays(args, specs, views, 2) < 0)
        return NULL;
    PyObject *result = NULL;
    if (views[1].shape[0] != 2 * QAM_LINES + QAM_SLOW || views[1].shape[1] != QAM_BLOCK)
        PyErr_Format(PyExc_ValueError, "lines: shape (%d, %d) is needed", 2 * QAM_LINES + QAM_SLOW, QAM_BLOCK);
    else {
        double sum;
        Py_BEGIN_ALLOW_THREADS
        sum = chosen->qam_energy(views[0].buf, views[0].shape[0] / QAM_BLOCK, views[1].buf);
        Py_END_ALLOW_THREADS
        result = PyFloat_FromDouble(sum);
    }
    release_arrays(views, 2);
    return result;
}

static PyObject *correlate(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {{"halves", 'F', 1, 0, 0}, {"known", 'F', 2, 0, 0}, {"scores", 'F', 2, 1, 0}};
    Py_buffer views[3];
    if (check_count("qam_correlate", count, 3) < 0 || get_arrays(args, specs, views, 3) < 0)
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t chunks = views[1].shape[0], length = views[1].shape[1], places = views[2].shape[0];
    if (chunks < 1 || length < 1)
        PyErr_SetString(PyExc_ValueError, "known: a point at least is needed");
    else if (places < 16 || views[2].shape[1] != chunks)
        PyErr_SetString(PyExc_ValueError, "scores: 16 places at least, and a column a chunk, are needed");
    else if (views[0].shape[0] < places + 2 * chunks * length - 2)
        PyErr_SetString(PyExc_ValueError, "halves: all places are needed");
    else {
        Py_BEGIN_ALLOW_THREADS
        chosen->qam_correlate(views[0].buf, views[1].buf, chunks, length, places, views[2].buf);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    release_arrays(views, 3);
    return result;
}

/* Whether halves reach `more` beyond the symbols, and the taps are all; 0 with ValueError. */
static int are_windows(const Py_buffer *views, Py_ssize_t more)
{
    if (views[1].shape[0] < 1 || (views[0].shape[0] - more) / 2 < views[1].shape[0])
        PyErr_SetString(PyExc_ValueError, "halves: a window for every target is needed");
    else if (views[2].shape[0] != QAM_TAPS)
        PyErr_Format(PyExc_ValueError, "taps: %d items are needed", QAM_TAPS);
    else
        return 1;
    return 0;
}

static PyObject *fit(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {{"halves", 'F', 1, 0, 0}, {"targets", 'F', 1, 0, 0}, {"taps", 'D', 1, 1, 0}};
    long long centre;
    double ridge;
    Py_buffer views[3];
    if (check_count("qam_fit", count, 5) < 0 || get_int(args[3], "centre", 0, QAM_TAPS - 1, &centre) < 0
        || get_real(args[4], "ridge", 1e-9, 1e9, &ridge) < 0 || get_arrays(args, specs, views, 3) < 0)
        return NULL;
    int good = are_windows(views, QAM_TAPS - 2);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        chosen->qam_fit(views[0].buf, views[1].buf, views[1].shape[0], (int)centre, ridge, views[2].buf);
        Py_END_ALLOW_THREADS
    }
    release_arrays(views, 3);
    return good ? Py_NewRef(Py_None) : NULL;
}

static PyObject *refine(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {{"halves", 'F', 1, 0, 0}, {"targets", 'F', 1, 0, 0}, {"taps", 'D', 1, 0, 0}};
    long long unknowns;
    Py_buffer views[3];
    if (check_count("qam_refine", count, 4) < 0 || get_int(args[3], "unknowns", 0, 4, &unknowns) < 0
        || get_arrays(args, specs, views, 3) < 0)
        return NULL;
    PyObject *result = NULL;
    if (are_windows(views, QAM_TAPS)) {
        struct qam_refined found;
        Py_BEGIN_ALLOW_THREADS
        found = chosen->qam_refine(views[0].buf, views[1].buf, views[1].shape[0], views[2].buf, (int)unknowns);
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("ddNdddd", found.error, found.likeness, PyComplex_FromDoubles(found.turn_re, found.turn_im),
                               found.phase, found.move, found.phase_drift, found.move_drift);
    }
    release_arrays(views, 3);
    return result;
}

PyMethodDef qam_acquire_methods[] = {
    {"qam_front", VECTORCALL(front), METH_FASTCALL, NULL},
    {"qam_energy", VECTORCALL(energy), METH_FASTCALL, NULL},
    {"qam_correlate", VECTORCALL(correlate), METH_FASTCALL, NULL},
    {"qam_fit", VECTORCALL(fit), METH_FASTCALL, NULL},
    {"qam_refine", VECTORCALL(refine), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
