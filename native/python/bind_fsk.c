/* Python's way to the kernels of ../fsk.h: every argument is checked here, nothing is checked there. */
#include "binding.h"

enum { STATE, INPUT, EVENTS, OCTETS, BUFFERS };
enum { WORTH_RELEASING = 1000 }; /* items: below, giving up the GIL costs more than the work */

static int check_state(const Py_buffer *view)
{
    if (view->len == view->itemsize && (uintptr_t)view->buf % 8 == 0)
        return 0;
    PyErr_SetString(PyExc_ValueError, "state: exactly one aligned item is needed");
    return -1;
}

static int check_hdlc(const struct hdlc_deframer *hdlc)
{
    if (hdlc->bits >= -1 && hdlc->bits <= 8 * HDLC_LONGEST + 7 && hdlc->ones >= 0 && hdlc->ones <= 7
        && hdlc->position >= 0 && hdlc->position < INT64_MAX / 2)
        return 0;
    PyErr_SetString(PyExc_ValueError, "state: not one that the kernel has left");
    return -1;
}

static int check_positions(int64_t position, int32_t filled)
{
    if (position >= 0 && position < INT64_MAX / 2 && filled >= 0 && filled < TONE_BLOCK)
        return 0;
    PyErr_SetString(PyExc_ValueError, "state: not one that the kernel has left");
    return -1;
}

static int check_room(const struct event_buffer *out, size_t octets_wanted)
{
    if (out->room >= 4 && out->octet_room >= octets_wanted)
        return 0;
    PyErr_SetString(PyExc_ValueError, "events: room for 4 is needed; octets: room for the longest frame");
    return -1;
}

/* Get state, input, events and (where the function has frames) octets, and the index to start from. */
static int get_all(PyObject *const *args, Py_ssize_t state_size, char input_format, PyObject *start_arg,
                   PyObject *const *outputs, int n_outputs, Py_buffer *views, Py_ssize_t items_of_octet,
                   long long *start, struct event_buffer *out)
{
    PyObject *objects[BUFFERS] = {args[0], args[1], outputs[0], n_outputs > 1 ? outputs[1] : NULL};
    const struct array_spec specs[BUFFERS] = {
        {"state", 0, 1, 1, state_size},
        {"input", input_format, 1, 0, 0},
        {"events", 0, 1, 1, sizeof(struct line_event)},
        {"octets", 'B', 1, 1, 0},
    };
    if (get_arrays(objects, specs, views, 2 + n_outputs) < 0)
        return -1;
    *out = (struct event_buffer){
        .events = views[EVENTS].buf,
        .room = (size_t)(views[EVENTS].len / views[EVENTS].itemsize),
        .octets = n_outputs > 1 ? views[OCTETS].buf : NULL,
        .octet_room = n_outputs > 1 ? (size_t)views[OCTETS].len : 0,
    };
    long long items = views[INPUT].len / views[INPUT].itemsize * items_of_octet;
    if (check_state(&views[STATE]) == 0 && check_room(out, n_outputs > 1 ? HDLC_LONGEST : 0) == 0
        && (uintptr_t)views[EVENTS].buf % 8 == 0 && (uintptr_t)views[INPUT].buf % (size_t)views[INPUT].itemsize == 0
        && get_int(start_arg, "start", 0, items, start) == 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "events, input: aligned buffers are needed");
    release_arrays(views, 2 + n_outputs);
    return -1;
}

static PyObject *hdlc_deframe(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    Py_buffer views[BUFFERS];
    struct event_buffer out;
    long long packed, start;
    if (check_count("hdlc_deframe", nargs, 6) < 0 || get_int(args[2], "packed", 0, 1, &packed) < 0
        || get_all(args, sizeof(struct hdlc_deframer), 'B', args[3], args + 4, 2, views, packed ? 8 : 1, &start, &out) < 0)
        return NULL;
    PyObject *result = NULL;
    if (check_hdlc(views[STATE].buf) == 0) {
        size_t n = (size_t)views[INPUT].len * (packed ? 8 : 1), taken;
        if (n - (size_t)start > WORTH_RELEASING) {
            Py_BEGIN_ALLOW_THREADS
            taken = chosen->hdlc_deframe(views[STATE].buf, views[INPUT].buf, (int)packed, (size_t)start, n, &out);
            Py_END_ALLOW_THREADS
        } else
            taken = chosen->hdlc_deframe(views[STATE].buf, views[INPUT].buf, (int)packed, (size_t)start, n, &out);
        result = Py_BuildValue("(nn)", (Py_ssize_t)taken, (Py_ssize_t)out.count);
    }
    release_arrays(views, BUFFERS);
    return result;
}

/* Octets that the line bits of all frames may take: five of six are data. Less than 0 where the lengths are not those of
 * whole frames in so many octets. */
static long long framed_room(const Py_buffer *octets, const Py_buffer *lengths, long long flags)
{
    const int32_t *length = lengths->buf;
    long long frames = lengths->len / (Py_ssize_t)sizeof *length, sum = 0;
    for (long long i = 0; i < frames; i++) {
        if (length[i] < 1)
            return -1;
        sum += length[i];
    }
    return sum == octets->len ? flags + (sum + 2 * frames) * 6 / 5 + frames + 1 + HDLC_SLACK : -1;
}

static PyObject *hdlc_frame(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    static const struct array_spec specs[] = {{"octets", 'B', 1, 0, 0}, {"lengths", 'i', 1, 0, 0}, {"out", 'B', 1, 1, 0}};
    enum { MOST_FLAGS = 1 << 20 };
    long long before, between, after;
    if (check_count("hdlc_frame", nargs, 6) < 0 || get_int(args[2], "before", 1, MOST_FLAGS, &before) < 0
        || get_int(args[3], "between", 1, MOST_FLAGS, &between) < 0 || get_int(args[4], "after", 1, MOST_FLAGS, &after) < 0)
        return NULL;
    PyObject *const objects[] = {args[0], args[1], args[5]};
    PyObject *result = NULL;
    Py_buffer views[3];
    if (get_arrays(objects, specs, views, 3) < 0)
        return NULL;
    Py_ssize_t frames = views[1].len / 4;
    long long room = framed_room(&views[0], &views[1], before + between * (frames - 1) + after);
    if (frames < 1 || room < 0 || (uintptr_t)views[1].buf % sizeof(int32_t))
        PyErr_SetString(PyExc_ValueError, "lengths: those of the frames in octets, each at least 1, are needed");
    else if (views[2].len < room)
        PyErr_Format(PyExc_ValueError, "out: room for %lld octets is needed", room);
    else {
        int64_t bits;
        Py_BEGIN_ALLOW_THREADS
        bits = chosen->hdlc_frame(views[0].buf, views[1].buf, frames, before, between, after, views[2].buf);
        Py_END_ALLOW_THREADS
        result = PyLong_FromLongLong(bits);
    }
    release_arrays(views, 3);
    return result;
}

static PyObject *fsk_receive(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    Py_buffer views[BUFFERS];
    struct event_buffer out;
    long long start;
    if (check_count("fsk_receive", nargs, 5) < 0
        || get_all(args, sizeof(struct fsk_receiver), 'h', args[2], args + 3, 2, views, 1, &start, &out) < 0)
        return NULL;
    PyObject *result = NULL;
    struct fsk_receiver *fsk = views[STATE].buf;
    if (check_positions(fsk->position, 0) == 0 && check_hdlc(&fsk->hdlc) == 0) {
        size_t n = (size_t)(views[INPUT].len / 2), taken;
        if (n - (size_t)start > WORTH_RELEASING) {
            Py_BEGIN_ALLOW_THREADS
            taken = chosen->fsk_receive(fsk, views[INPUT].buf, (size_t)start, n, &out);
            Py_END_ALLOW_THREADS
        } else
            taken = chosen->fsk_receive(fsk, views[INPUT].buf, (size_t)start, n, &out);
        result = Py_BuildValue("(nn)", (Py_ssize_t)taken, (Py_ssize_t)out.count);
    }
    release_arrays(views, BUFFERS);
    return result;
}

static PyObject *tone_detect(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    Py_buffer views[BUFFERS];
    struct event_buffer out;
    long long start;
    if (check_count("tone_detect", nargs, 4) < 0
        || get_all(args, sizeof(struct tone_detector), 'h', args[2], args + 3, 1, views, 1, &start, &out) < 0)
        return NULL;
    PyObject *result = NULL;
    struct tone_detector *tone = views[STATE].buf;
    if (check_positions(tone->position, tone->filled) == 0) {
        size_t n = (size_t)(views[INPUT].len / 2), taken;
        if (n - (size_t)start > WORTH_RELEASING) {
            Py_BEGIN_ALLOW_THREADS
            taken = chosen->tone_detect(tone, views[INPUT].buf, (size_t)start, n, &out);
            Py_END_ALLOW_THREADS
        } else
            taken = chosen->tone_detect(tone, views[INPUT].buf, (size_t)start, n, &out);
        result = Py_BuildValue("(nn)", (Py_ssize_t)taken, (Py_ssize_t)out.count);
    }
    release_arrays(views, OCTETS);
    return result;
}

PyMethodDef fsk_methods[] = {
    {"hdlc_deframe", VECTORCALL(hdlc_deframe), METH_FASTCALL, NULL},
    {"hdlc_frame", VECTORCALL(hdlc_frame), METH_FASTCALL, NULL},
    {"fsk_receive", VECTORCALL(fsk_receive), METH_FASTCALL, NULL},
    {"tone_detect", VECTORCALL(tone_detect), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
