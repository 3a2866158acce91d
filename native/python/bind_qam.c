/* Python's way to the kernels of ../qam.h: every argument is checked here, nothing is checked there. */
#include "qam_sound.h"

static int coder_is_sound(const struct qam_coder *c)
{
    return scrambler_is_sound(&c->scrambler, c->bits) && within(c->pending_bits, 0, c->bits - 1)
           && within(c->states, 1, 256) && c->state < (uint32_t)c->states;
}

/* Every state that the table leads to must be one. */
static int leads_to_states(const Py_buffer *next, int32_t states)
{
    const uint8_t *state = next->buf;
    uint8_t highest = 0;
    for (Py_ssize_t i = 0; i < next->len; i++)
        highest = state[i] > highest ? state[i] : highest;
    return highest < states;
}

/* The tables of a coder: table, next, leaps; 0 with ValueError. */
static int code_is_sound(const struct qam_coder *coder, const Py_buffer *t, struct qam_code *code)
{
    *code = (struct qam_code){t[0].buf, t[1].buf, t[2].buf, 0};
    while (code->kept < coder->bits && t[2].shape[0] != 1 << 2 * code->kept)
        code->kept++;
    if (t[0].shape[0] != coder->states || t[0].shape[1] != 1 << coder->bits)
        PyErr_SetString(PyExc_ValueError, "table: one row a state and one column a group is needed");
    else if (t[1].len != t[0].len || !leads_to_states(&t[1], coder->states))
        PyErr_SetString(PyExc_ValueError, "next: a state for every item of the table is needed");
    else if (t[2].shape[0] != 1 << 2 * code->kept || t[2].shape[1] != coder->states || !leads_to_states(&t[2], coder->states))
        PyErr_SetString(PyExc_ValueError, "leaps: states, one column a state and one row for some bits of two groups are needed");
    else
        return 1;
    return 0;
}

static PyObject *encode(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {
        {"coder", 'B', 1, 1, 0}, {"table", 'B', 2, 0, 0}, {"next", 'B', 2, 0, 0}, {"leaps", 'B', 2, 0, 0},
        {"octets", 'B', 1, 0, 0}, {"symbols", 'B', 1, 1, 0}};
    Py_buffer views[6];
    if (check_count("qam_encode", count, 6) < 0 || get_arrays(args, specs, views, 6) < 0)
        return NULL;
    PyObject *result = NULL;
    struct qam_coder *coder = views[0].buf;
    struct qam_code code;
    if (!is_record(&views[0], sizeof *coder) || !coder_is_sound(coder))
        PyErr_SetString(PyExc_ValueError, "coder: one coder with fields in their ranges is needed");
    else if (!code_is_sound(coder, views + 1, &code)) /* the error is set */
        ;
    else if (views[5].len < (views[4].len * 8 + coder->pending_bits) / coder->bits)
        PyErr_SetString(PyExc_ValueError, "symbols: too short for the octets");
    else {
        int64_t made;
        Py_BEGIN_ALLOW_THREADS
        made = chosen->qam_encode(coder, &code, views[4].buf, views[4].len, views[5].buf);
        Py_END_ALLOW_THREADS
        result = PyLong_FromLongLong(made);
    }
    release_arrays(views, 6);
    return result;
}

static PyObject *shape(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {
        {"taps", 'h', 2, 0, 0}, {"points", 'h', 2, 0, 0}, {"symbols", 'B', 1, 0, 0}, {"out", 'h', 1, 1, 0}};
    double gain;
    long long up, down, first_symbol, first_sample;
    if (check_count("qam_shape", count, 9) < 0 || get_int(args[4], "up", 1, 1000, &up) < 0
        || get_int(args[5], "down", 1, 1000, &down) < 0 || get_int(args[6], "first_symbol", 0, 1ll << 40, &first_symbol) < 0
        || get_int(args[7], "first_sample", 0, 1ll << 40, &first_sample) < 0
        || get_real(args[8], "gain", 0.0, 1.0, &gain) < 0)
        return NULL;
    Py_buffer views[4];
    if (get_arrays(args, specs, views, 4) < 0)
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t rows = views[0].shape[0], width = views[0].shape[1];
    if (rows < 1 || rows > 1 << 20 || width < 16 || width > 2 * QAM_SPAN_MAX || width % 16)
        PyErr_SetString(PyExc_ValueError, "taps: rows of 8 to 64 symbols, a multiple of 8, are needed");
    else if (views[1].shape[0] != 256 || views[1].shape[1] != 2)
        PyErr_SetString(PyExc_ValueError, "points: shape (256, 2) is needed");
    else if (up > down)
        PyErr_SetString(PyExc_ValueError, "up: at most one symbol a sample");
    else {
        struct qam_pulse pulse = {(int32_t)rows, (int32_t)(width / 2), (int32_t)up, (int32_t)down};
        Py_BEGIN_ALLOW_THREADS
        chosen->qam_shape(&pulse, views[0].buf, views[1].buf, (float)gain, views[2].buf, views[2].len, first_symbol,
                          first_sample, views[3].buf, views[3].shape[0]);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    release_arrays(views, 4);
    return result;
}

static PyObject *receive(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {
        {"receiver", 'B', 1, 1, 0}, {"bank", 'h', 3, 0, 0}, {"points", 'f', 2, 0, 0},
        {"lines", 'f', 2, 0, 0}, {"groups", 'B', 2, 0, 0}, {"training", 'f', 2, 0, 0}, {"branches", 'i', 3, 0, 0},
        {"cells", 'B', 2, 0, 0}, {"samples", 'h', 1, 0, 0}, {"octets", 'B', 1, 1, 0}};
    Py_buffer views[10];
    if (check_count("qam_receive", count, 10) < 0 || get_arrays(args, specs, views, 10) < 0)
        return NULL;
    PyObject *result = NULL;
    struct qam_receiver *r = views[0].buf;
    if (!is_record(&views[0], sizeof *r) || !receiver_is_sound(r))
        PyErr_SetString(PyExc_ValueError, "receiver: one receiver with fields in their ranges is needed");
    else if (!tables_are_sound(r, views + 1)) /* the error is set */
        ;
    else if (views[5].shape[0] < r->training_left)
        PyErr_SetString(PyExc_ValueError, "training: all points to come are needed");
    else if (!survivors_are_points(r))
        PyErr_SetString(PyExc_ValueError, "receiver: survivors are numbers of points");
    else {
        struct qam_tables tables = tables_of(views + 1);
        struct qam_progress done;
        Py_BEGIN_ALLOW_THREADS
        done = chosen->qam_receive(r, &tables, views[8].buf, views[8].shape[0], views[9].buf, views[9].len);
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("LLi", (long long)done.samples, (long long)done.octets, (int)done.event);
    }
    release_arrays(views, 10);
    return result;
}

PyMethodDef qam_methods[] = {
    {"qam_encode", VECTORCALL(encode), METH_FASTCALL, NULL},
    {"qam_shape", VECTORCALL(shape), METH_FASTCALL, NULL},
    {"qam_receive", VECTORCALL(receive), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
