"""What comes from outside as SWML: any octets give a script, a value or one typed error."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore.errors import SwmlError
from faxcore.swml import Notice, ReceiveFax, SendFax
from faxcore.swml.info import CallInfo
from faxcore.swml.interpreter import Interpreter, Post, RunFax
from faxcore.swml.script import Script
from faxcore.swml.variables import Scopes

TEXT = (
    "sections main send_fax receive_fax execute document dest params status_url identity on_return set unset return "
    "hangup transfer version 1.0.0 https://example.com/a.pdf ${a} %{vars.a[0].b} ${1+1} &x *x ! | > no 0755 1: - ~ "
    "{ } [ ] , : \n \n\u0020\u0020 \" ' # % @ \u2028 \0"
)
WORDS = st.sampled_from(TEXT.split(" "))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
VALUES = st.recursive(
    LEAVES, lambda part: st.lists(part, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), part, max_size=4),
    max_leaves=20,
)  # fmt: skip
STEPS = st.lists(st.dictionaries(WORDS, VALUES, min_size=1, max_size=1) | WORDS, min_size=1, max_size=6)


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=100))
def test_any_text_is_a_script_or_an_error(text: str | bytes) -> None:
    with contextlib.suppress(SwmlError):
        assert Script.parse(text).sections["main"]


@settings(max_examples=150)
@given(VALUES)
def test_any_parameters(params: Any) -> None:
    for method in (SendFax, ReceiveFax):
        with contextlib.suppress(SwmlError):
            method.parse(params)


@settings(max_examples=150)
@given(STEPS, st.dictionaries(WORDS, VALUES, max_size=3), st.text(max_size=50) | st.lists(WORDS).map("\n".join))
def test_any_steps_run_to_an_end(steps: list[Any], envs: dict[str, Any], answer: str) -> None:
    interpreter = Interpreter(CallInfo(), Scopes(envs=envs))
    try:
        script = Script.parse(steps)
    except SwmlError:
        return
    running = interpreter.run(script)
    wish = next(running, None)
    while wish is not None:
        reply: Any = answer if isinstance(wish, Post) else {"send_fax_pages": 1} if isinstance(wish, RunFax) else None
        try:
            wish = running.send(reply)
        except StopIteration:
            wish = None
    msgspec.json.encode(interpreter.request())


@settings(max_examples=150)
@given(st.binary(max_size=100) | VALUES.map(lambda value: msgspec.json.encode(str(value))) | VALUES)
def test_any_notice(body: Any) -> None:
    with contextlib.suppress(ValueError, msgspec.DecodeError):
        Notice.parse(body)


@settings(max_examples=150)
@given(VALUES, st.dictionaries(st.text("ab", min_size=1, max_size=2), VALUES, max_size=4))
def test_any_substitution(value: Any, variables: dict[str, Any]) -> None:
    with contextlib.suppress(SwmlError):
        Scopes(vars=variables).substitute(value)
