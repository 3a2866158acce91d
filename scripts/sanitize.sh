#!/bin/sh
# The kernels and their binding under AddressSanitizer and UndefinedBehaviorSanitizer: a copy of the checkout in
# build/sanitize is built with them, and the tests that reach native code run there. Any report ends the run.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
copy=build/sanitize

rm -rf "$copy"
mkdir -p "$copy"
for each in faxcore native tests benchmarks examples pyproject.toml setup.py README.md LICENSE; do
    [ ! -e "$each" ] || cp -R "$each" "$copy"
done
cd "$copy"
rm -f faxcore/kernels/_native*.so
export FAXCORE_SANITIZE=1
"$python" setup.py -q build_ext --inplace

# PYTHONMALLOC: octets that Python makes get their red zones too. Leaks are Python's own habit at exit.
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export LD_PRELOAD PYTHONMALLOC=malloc
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1
PYTHONPATH=. "$python" -c '
import faxcore.kernels as k
assert "build/sanitize" in k.native.__file__, k.native.__file__
assert b"__asan_report" in open(k.native.__file__, "rb").read()'
# -s: pytest would keep what a dying test wrote, which is the report. Left out are tests of what is drawn in another
# process or run by another interpreter, and the slow twins of the widest lines, which would take minutes.
exec "$python" -m pytest -q -s -n 2 --max-worker-restart 0 --timeout 600 \
    tests/unit tests/property tests/fuzz tests/conformance \
    --ignore-glob "*document*" --ignore-glob "*cli*" --ignore-glob "*examples*" \
    --ignore-glob "*swml_run*" -k "not wide_lines" "$@"
