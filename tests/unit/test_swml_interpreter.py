"""Running scripts: which wishes follow, what the variables hold, and what an error does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from faxcore.errors import SwmlError
from faxcore.result import FaxResult, ResultCode
from faxcore.swml import CallInfo, SendFax
from faxcore.swml.interpreter import MOST_STEPS, Interpreter, Post, RunFax, Warn
from faxcore.swml.script import Script
from faxcore.swml.variables import Scopes

INFO = CallInfo(call_id="c", node_id="n", segment_id="g", project_id="p", space_id="s", direction="outbound",
                from_="+1555", to="+1777", headers=(("X-A", "b"),))  # fmt: skip
URL = "https://example.com/"


class Ran:
    """A script run to its end; `answers` are what URLs give, by URL."""

    def __init__(self, script: str, answers: dict[str, str | SwmlError] | None = None, **envs: Any) -> None:
        self.interpreter = Interpreter(INFO, Scopes(envs=envs))
        self.faxes: list[Any] = []
        self.posts: list[Post] = []
        self.errors: list[SwmlError] = []
        running = self.interpreter.run(Script.parse(script))
        step: Callable[[], Any] = running.__next__
        while True:
            try:
                wish = step()
            except StopIteration:
                break
            step = self._granted(running, wish, answers or {})
        self.vars = self.interpreter.scopes.vars

    def _granted(self, running: Any, wish: Any, answers: dict[str, str | SwmlError]) -> Callable[[], Any]:
        match wish:
            case RunFax(method=method):
                self.faxes.append(method)
                result = FaxResult(code=ResultCode.OK, pages=2, document=getattr(method, "document", "stored"))
                return lambda: running.send(result.variables(method.name))
            case Post(url=url):
                self.posts.append(wish)
                answer = answers.get(url, "")
                if isinstance(answer, SwmlError):
                    return lambda: running.throw(answer)
                return lambda: running.send(answer)
            case Warn(error=error):
                self.errors.append(error)
        return running.__next__

    @property
    def codes(self) -> list[str]:
        return [error.code.removeprefix("relay_script_") for error in self.errors]


def test_the_example_of_the_documentation() -> None:
    ran = Ran(f"- send_fax: {{document: {URL}a.pdf}}\n- execute: {{dest: {URL}done, params: {{some_info: 12345}}}}")
    assert ran.faxes == [SendFax(document=f"{URL}a.pdf")]
    (post,) = ran.posts
    assert post.url == f"{URL}done"
    assert post.body == {
        "call": {
            "call_id": "c",
            "node_id": "n",
            "segment_id": "g",
            "call_state": "answered",
            "direction": "outbound",
            "type": "phone",
            "from": "+1555",
            "to": "+1777",
            "from_number": "+1555",
            "to_number": "+1777",
            "headers": [{"name": "X-A", "value": "b"}],
            "project_id": "p",
            "space_id": "s",
        },
        "vars": {
            "send_fax_document": f"{URL}a.pdf",
            "send_fax_identity": "",
            "send_fax_remote_identity": "",
            "send_fax_pages": 2,
            "send_fax_result_code": 0,
            "send_fax_result_text": "Every page was confirmed",
            "send_fax_result": "success",
        },
        "params": {"some_info": 12345},
        "envs": {},
    }
    assert ran.errors == []


def test_variables_reach_parameters() -> None:
    script = "- set: {place: letters}\n- send_fax: {document: '${envs.base}%{place}/a.pdf', identity: '${call.from}'}"
    (fax,) = Ran(script, base=URL).faxes
    assert (fax.document, fax.identity) == (f"{URL}letters/a.pdf", "+1555")


def test_a_bad_step_is_told_and_the_script_goes_on() -> None:
    ran = Ran(f"- send_fax: {{header_info: ACME}}\n- dance: {{}}\n- execute: {URL}done")
    assert ran.codes == ["method_parameter_missing", "method_undefined"]
    assert ran.faxes == []
    told = ran.posts[0].body["vars"]
    assert told["script_error"] == "relay_script_method_parameter_missing", "the first one"
    assert (told["send_fax_result"], told["send_fax_result_code"]) == ("failed", 41)


def test_sections_have_their_own_params_and_share_the_variables() -> None:
    script = """
    sections:
      main:
        - execute: {dest: outer, params: {a: 1}}
        - set: {after: '<${params.a}>'}
      outer:
        - set: {first: '${params.a}'}
        - execute: {dest: inner, params: {b: '${params.a}2'}}
        - set: {third: '${params.a}${params.b}'}
      inner:
        - set: {second: '${params.a}/${params.b}'}
        - return: {x: [5]}
        - set: {never: 1}
    """
    ran = Ran(script)
    assert ran.errors == []
    assert ran.vars == {"first": "1", "second": "/12", "return_value": {"x": [5]}, "third": "1", "after": "<>"}


def test_on_return_runs_afterwards() -> None:
    ran = Ran("""
    sections:
      main:
        - execute: {dest: sub, on_return: [{set: {got: '${return_value}'}}]}
      sub: [{return: 7}]
    """)
    assert ran.vars["got"] == "7"


@pytest.mark.parametrize("answer", ["- set: {a: b}", '{"sections": {"main": [{"set": {"a": "b"}}]}}'])
def test_what_a_url_answers_is_run(answer: str) -> None:
    assert Ran(f"- execute: {URL}next\n- set: {{c: d}}", {f"{URL}next": answer}).vars == {"a": "b", "c": "d"}


def test_an_empty_answer_is_an_empty_script() -> None:
    assert Ran(f"- execute: {URL}next", {f"{URL}next": "\n"}).errors == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("<html>", "element_wrong_type"),
        ("{", "parse_error"),
        ('{"sections": {}}', "main_section_missing"),
        (SwmlError("relay_script_method_execute_failed", "404"), "method_execute_failed"),
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_run(answer: str | SwmlError, code: str) -> None:
    ran = Ran(f"- execute: {URL}next\n- set: {{c: d}}", {f"{URL}next": answer})
    assert ran.codes == [code]
    assert ran.vars["c"] == "d"


def test_documents_inline() -> None:
    assert Ran("""- execute: '[{"set": {"a": "b"}}]'""").vars == {"a": "b"}
    assert Ran("- execute: |\n    sections:\n      main:\n        - set: {a: b}").vars == {"a": "b"}


def test_transfer_does_not_come_back() -> None:
    ran = Ran("sections: {main: [{transfer: {dest: there}}, {set: {a: 1}}], there: [{set: {b: 2}}]}")
    assert ran.vars == {"b": 2}


def test_hangup_ends_every_script() -> None:
    ran = Ran("sections: {main: [{execute: there}, {set: {a: 1}}], there: [hangup, {set: {b: 2}}]}")
    assert ran.vars == {}


def test_set_unset_answer() -> None:
    ran = Ran("- answer\n- set: {a: 1, b: [x, '${a}'], c: 3}\n- unset: a\n- unset: [c, missing]")
    assert ran.vars == {"answer_result": "success", "b": ["x", ""]}


REFUSED = {
    "- execute: nowhere": "section_parameter_undefined",
    "- execute: https//example.com/": "method_parameter_invalid_value",
    "- execute: 'http://'": "method_parameter_invalid_value",
    "- execute: {}": "method_parameter_missing",
    "- execute: {dest: 3}": "method_parameter_invalid_value",
    "- execute: {dest: main, result: []}": "method_parameter_undefined",
    "- transfer:": "method_parameter_invalid_value",
    "- set: x": "method_parameter_invalid_value",
    "- set: {a: '${1 + 1}'}": "js_eval_error",
    "- receive_fax: {document: x}": "method_parameter_undefined",
    "- execute: {dest: x, on_return: y}": "method_parameter_invalid_value",
}


@pytest.mark.parametrize("script", REFUSED)
def test_refused(script: str) -> None:
    ran = Ran(script)
    assert ran.codes == [REFUSED[script]]
    assert ran.vars["script_error"] == f"relay_script_{REFUSED[script]}"


def test_params_must_be_an_object() -> None:
    assert Ran("sections: {main: [{execute: {dest: a, params: [1]}}], a: [hangup]}").codes == [
        "method_parameter_invalid_value"
    ]


def test_a_script_that_calls_itself_ends() -> None:
    ran = Ran("sections: {main: [{execute: main}]}")
    assert ran.codes == ["nested_too_deep"]


def test_a_script_that_calls_itself_twice_ends_too() -> None:
    ran = Ran("sections: {main: [{execute: main}, {execute: main}]}")
    assert ran.codes[-1] == "too_many_transfers"
    assert len(ran.codes) < MOST_STEPS
