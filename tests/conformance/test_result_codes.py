"""Which of the 62 result codes a scripted conversation reaches, and why none reaches the others [result codes]."""

from __future__ import annotations

from faxcore.result import ResultCode
from tests.conformance.test_t30_conversations import ALL

ELSEWHERE = {
    27: "test_a_page_without_an_end_of_line",
}
"""Reached by a test of this directory that is no table of frames."""

UNREACHED = {
    1: "a tone that does not stop is waited out by T0: no engine sets it",
    7: "nobody is at the machine: the interrupt is given up when T3 is over, as 4 or without harm",
    29: "after MCF to EOP the pages are there: 0, whatever follows",
    30: "the same moment as 32, which engines set",
    44: "pages are numbered by their order; no file has a tag for it",
}

def reached() -> set[int]:
    return {int(conversation.steps[-1][1].split()[1]) for conversation in ALL}


def test_every_code_is_reached_or_has_a_reason() -> None:
    known = reached() | set(ELSEWHERE) | set(UNREACHED)
    assert known == {int(code) for code in ResultCode}


def test_no_reason_is_given_for_what_is_reached() -> None:
    assert not reached() & (set(UNREACHED) | set(ELSEWHERE))


def test_both_roles_are_there() -> None:
    assert {conversation.role.split("/")[0] for conversation in ALL} >= {"sender", "receiver", "polled", "poller"}
    assert len(ALL) >= 120
