"""SWML documents: what is read, what is refused under which name, and YAML's traps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from faxcore.errors import SwmlError
from faxcore.swml.script import Script
from faxcore.swml.variables import MOST_TEXT, Scopes

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["send_fax.yaml", "send_fax.json"])
def test_the_examples_of_the_documentation(name: str) -> None:
    script = Script.parse((EXAMPLES / name).read_bytes())
    assert script.sections == {
        "main": [
            ("send_fax", {"document": "https://example.com/fax_to_send.pdf"}),
            ("execute", {"dest": "https://example.com/handle_outgoing_fax_result"}),
        ]
    }


@pytest.mark.parametrize(
    "document",
    [
        "sections: {main: [receive_fax]}",
        '{"version": "1.0.0", "sections": {"main": ["receive_fax"]}}',
        '  \n[ "receive_fax" ]',
        "- receive_fax",
        "{version: 1.0.0, sections: {main: [receive_fax]}}",
        b"\xef\xbb\xbf- receive_fax",
        ["receive_fax"],
        {"sections": {"main": ["receive_fax"]}},
    ],
    ids=str,
)
def test_forms_of_a_document(document: Any) -> None:
    assert Script.parse(document).sections == {"main": [("receive_fax", None)]}


def test_a_step_without_parameters() -> None:
    assert Script.parse("- receive_fax:\n- hangup: {}").sections["main"] == [("receive_fax", None), ("hangup", {})]


BOMB = "a: &a [x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghijklmno", "bcdefghijklmnop",
                                                                                strict=True))  # fmt: skip
REFUSED = {
    "": "relay_script_element_wrong_type",
    "hello": "relay_script_element_wrong_type",
    "{": "relay_script_parse_error",
    '{"sections": {"main": []}': "relay_script_parse_error",
    "a: [": "relay_script_parse_error",
    "!!python/object/apply:os.system [ls]": "relay_script_parse_error",
    "\0": "relay_script_parse_error",
    "x" * 1_000_001: "relay_script_parse_error",
    "[" * 100_000: "relay_script_parse_error",
    "- " * 100_000: "relay_script_nested_too_deep",
    "{a: " * 100_000: "relay_script_parse_error",
    "version: 1.0.0": "relay_script_sections_missing",
    "sections: []": "relay_script_element_wrong_type",
    "sections: {other: [hangup]}": "relay_script_main_section_missing",
    "sections: {main: }": "relay_script_section_code_missing",
    "sections: {main: []}": "relay_script_section_code_missing",
    "sections: {main: hangup}": "relay_script_element_wrong_type",
    "sections: {main: [hangup], other: []}": "relay_script_section_code_missing",
    "sections: {main: [3]}": "relay_script_method_missing_name",
    "sections: {main: [{}]}": "relay_script_method_missing_name",
    "sections: {main: [{hangup: {}, answer: {}}]}": "relay_script_method_missing_name",
    "{version: 2.0.0, sections: {main: [hangup]}}": "relay_script_version_invalid",
    "{version: 1.0, sections: {main: [hangup]}}": "relay_script_version_invalid",
    "{version: 1, sections: {main: [hangup]}}": "relay_script_version_invalid",
    "{reply: hello, sections: {main: [hangup]}}": "relay_script_element_undefined",
    "&a [*a]": "relay_script_nested_too_deep",
    "- set: {a: " + "1:" * 400_000 + "1}": "relay_script_parse_error",
    "- set: {a: " + "9" * 5000 + "}": "relay_script_parse_error",
    '[{"set": {"a": ' + "9" * 5000 + "}}]": "relay_script_parse_error",
    "- set: {a: " + "9" * 30 + "}": "relay_script_element_wrong_type",
    BOMB: "relay_script_nested_too_deep",
    "- set: {a: 2026-11-24}": "relay_script_element_wrong_type",
    "- set: {no: 1}": "relay_script_element_wrong_type",
    "- set: {a: !!binary aGVsbG8=}": "relay_script_element_wrong_type",
}


@pytest.mark.parametrize("document", REFUSED, ids=lambda text: repr(text)[:40])
def test_refused(document: str) -> None:
    with pytest.raises(SwmlError) as caught:
        Script.parse(document)
    assert caught.value.code == REFUSED[document]
    assert len(caught.value.description) < 500


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("- set: {no: 1}", "no, off or false is no name: in YAML write it in quotes"),
        ("- set: {day: 2026-11-24}", "2026-11-24 must be a text: in YAML write it in quotes"),
        ("{version: 1.0, sections: {main: [hangup]}}", "in YAML write it as 1.0.0"),
        ("- a: [\n", "neither JSON nor YAML"),
        ('{"a": 1,}}', "no JSON"),
    ],
)
def test_the_words_help(document: str, words: str) -> None:
    with pytest.raises(SwmlError) as caught:
        Script.parse(document)
    assert words in caught.value.description


# ---- variables

SCOPES = Scopes(
    call={"from": "+1555", "headers": [{"name": "X-A", "value": "b"}]},
    params={"a": 1, "nested": {"list": [10, {"x": "y"}]}},
    vars={"name": "vars", "yes": True, "none": None, "half": 0.5, "envs_too": "vars", "people": [{"name": "Alice"}]},
    envs={"key": "secret", "envs_too": "envs"},
)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("nothing to do", "nothing to do"),
        ("${name}", "vars"),
        ("%{name}", "vars"),
        ("%{vars.name} and ${envs.key}", "vars and secret"),
        ("${ name }", "vars"),
        ("${key}", "secret"),
        ("${envs_too} ${envs.envs_too}", "vars envs"),
        ("${call.from}", "+1555"),
        ("${call.headers[0].value}", "b"),
        ("${params.a}", "1"),
        ("${half}", "0.5"),
        ("${yes}", "true"),
        ("${none}", ""),
        ("<${missing}>", "<>"),
        ("<${missing.deep[3].x}>", "<>"),
        ("${people[0].name}", "Alice"),
        ("${people[7].name}", ""),
        ("${name.length}", ""),
        ("${params.nested}", {"list": [10, {"x": "y"}]}),
        ("it is ${params.nested}", 'it is {"list":[10,{"x":"y"}]}'),
        ("$name {name} $ {name} 100%", "$name {name} $ {name} 100%"),
        ({"${name}": ["%{name}", 3, {"a": "${half}"}]}, {"${name}": ["vars", 3, {"a": "0.5"}]}),
        (7, 7),
        (None, None),
    ],
    ids=repr,
)
def test_substitution(given: Any, found: Any) -> None:
    assert json.dumps(SCOPES.substitute(given)) == json.dumps(found)


def test_what_a_variable_holds_is_not_substituted_again() -> None:
    assert Scopes(vars={"a": "${b}", "b": "c"}).substitute("${a}") == "${b}"


@pytest.mark.parametrize("text", ["${a + b}", "${call.from.substring(0, 3)}", "${}", "%{(items.length)}", "${a..b}"])
def test_expressions_are_refused_by_name(text: str) -> None:
    with pytest.raises(SwmlError, match="relay_script_js_eval_error"):
        SCOPES.substitute(text)


def test_texts_do_not_grow_without_end() -> None:
    scopes = Scopes(vars={"a": "x" * (MOST_TEXT // 2 + 1)})
    assert scopes.substitute("${a}") == scopes.vars["a"]
    with pytest.raises(SwmlError, match="characters"):
        scopes.substitute(["${a}", "${a}"])


def test_objects_do_not_grow_without_end() -> None:
    scopes = Scopes(vars={"a": [1]})
    for _ in range(12):
        scopes.vars |= scopes.substitute({"a": ["${a}", "${a}"]})
    with pytest.raises(SwmlError, match="relay_script_nested_too_deep"):
        scopes.substitute({"a": ["${a}", "${a}", "${a}"]})
