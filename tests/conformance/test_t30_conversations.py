"""Scripted conversations of both terminals in both roles, kept as data in *_conversations.txt."""

from __future__ import annotations

from itertools import chain, repeat
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from faxcore import coding
from faxcore.errors import DocumentError
from faxcore.events import Event
from faxcore.options import ADDRESSES
from faxcore.t30.frames import FCF, parse_frame
from faxcore.t30.receiver import receiving_terminal
from faxcore.t30.session import Session
from faxcore.t30.transmitter import transmitting_terminal
from tests.t30_support import ScriptedCarrier, Supply, fake_decode, fake_encode, new_session


class Conversation(NamedTuple):
    title: str
    role: str
    usual: dict[str, str]
    steps: list[tuple[str, str]]


def conversations() -> list[Conversation]:
    found = []
    here = Path(__file__)
    names = ("t30_conversations.txt", "t30_ecm_conversations.txt", "t30_polling_conversations.txt")
    texts = [here.with_name(name).read_text() for name in names]
    for block in [block for text in texts for block in text.split("\n== ")[1:]]:
        title, setting, *lines = [line for line in block.splitlines() if line]
        role, *words = setting.split()
        steps = []
        for line in lines:
            sent, _, heard = line.partition(" -> ")
            count, star, rest = sent.partition("* ")
            steps += [(rest if star else sent, heard)] * (int(count) if star else 1)
        found.append(Conversation(title, role, dict(word.split("=") for word in words), steps))
    return found


ALL = conversations()


@pytest.fixture
def page_codes_in_words(conversation: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    octets = int(conversation.usual.get("octets", 0))
    encode = lambda *args, **how: fake_encode(*args, **how).ljust(octets, b" ")  # noqa: E731
    monkeypatch.setattr(coding, "encode", encode, raising=False)
    monkeypatch.setattr(coding, "decode", fake_decode, raising=False)


def begin(conversation: Conversation, events: list[Event]) -> tuple[Session, ScriptedCarrier]:
    usual = conversation.usual
    options: dict[str, Any] = {name: int(usual[name]) for name in ("min_rate", "max_rate") if name in usual}
    if "ecm" in usual:
        options |= {"ecm": True, "codings": tuple(usual["ecm"].split(","))}
    options |= {name: usual[name] for name in ("resolution", "width") if name in usual}
    options |= {"adapt": usual["adapt"] == "yes"} if "adapt" in usual else {}
    options |= {name: usual[name] for name in ADDRESSES if name in usual}
    options |= {"tries_per_rate": int(usual["tries"])} if "tries" in usual else {}
    if "refuses" in usual:
        options["accept"] = lambda far: usual["refuses"] if getattr(far, usual["refuses"]) else None
    session = new_session(events, **options)
    if conversation.role in ("sender", "polled"):
        papers = usual["papers"].split(",") if "papers" in usual else ()
        pages = Supply(len(papers) or int(usual.get("pages", 1)), papers=papers, fails="page" in usual,
                       code=int(usual.get("page", 46)))  # fmt: skip
        pages.ends = tuple(map(int, usual["ends"].split(","))) if "ends" in usual else ()
        calls = conversation.role == "sender"
        return session, ScriptedCarrier(transmitting_terminal(session, pages, calls=calls), far_x=not calls)

    def store(page: object) -> None:
        if "store" in usual:
            raise DocumentError("received.pdf", "disk full", code=int(usual["store"]))

    room = chain(repeat(False, int(usual.get("busy", 0))), repeat(True))
    calls = conversation.role == "poller"
    procedure = receiving_terminal(session, store, lambda: next(room), calls=calls)
    return session, ScriptedCarrier(procedure, far_x=not calls)


def said(carrier: ScriptedCarrier, expected: str) -> str:
    """What was said; DCS with its field where the script wants to see it."""
    words = carrier.said or ["."]
    for name in ("DIS", "DTC", "DCS", "FNV"):
        if f"{name}=" in expected:
            field = next(frame for frame in map(parse_frame, carrier.all_frames[::-1]) if frame.fcf is FCF[name])
            words = [f"{name}={field.fif.hex()}" if word == name else word for word in words]
    return " ".join(words)


@pytest.mark.usefixtures("page_codes_in_words")
@pytest.mark.parametrize("conversation", ALL, ids=[c.title for c in ALL])
def test_conversation(conversation: Conversation) -> None:
    events: list[Event] = []
    session, carrier = begin(conversation, events)
    for sent, heard in conversation.steps:
        breaks_off = heard.startswith("sending ")
        listen = carrier.run(expected=sent if breaks_off else None)
        assert said(carrier, sent) == sent
        carrier.said.clear()
        if heard.startswith("end "):
            break
        if breaks_off:
            carrier.throw(heard.removeprefix("sending "))
        else:
            assert listen, f"the terminal ended where {heard} was to come"
            carrier.hear(heard, listen)
    assert carrier.finished
    result = session.result(carrier.now)
    assert f"end {int(result.code)} {result.pages}" == conversation.steps[-1][1], result.note
    assert result.success == (result.code == 0)
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_every_conversation_ends() -> None:
    assert all(c.steps[-1][1].startswith("end ") for c in ALL)
    assert len({c.title for c in ALL}) == len(ALL)
