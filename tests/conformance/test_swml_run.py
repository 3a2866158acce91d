"""`faxcore swml run` from end to end, with real servers on loopback: for documents, callbacks and `execute`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import faxcore
from tests.http_support import Asked, Server, reply, serving
from tests.swml_support import letter

EXAMPLES = Path(__file__).parents[2] / "examples"
RESULT_PATH = "/handle_outgoing_fax_result"
SEVEN = ("document", "identity", "remote_identity", "pages", "result_code", "result_text", "result")


@dataclass
class Run:
    """What the command printed, how it ended, and what the server was asked."""

    status: int
    stdout: str
    stderr: str
    server: Server

    @property
    def object(self) -> dict[str, Any]:
        assert self.stdout.count("\n") == 1
        found = json.loads(self.stdout)
        assert isinstance(found, dict)
        return found

    def bodies(self, path: str) -> list[Any]:
        return [asked.json for asked in self.server.asked if asked.target == path]


async def command(*words: str, stdin: bytes = b"", during: Callable[[Any], Awaitable[None]] | None = None) -> Any:
    """The command in a process of its own."""
    paths = os.pathsep.join(filter(None, (str(Path(faxcore.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "faxcore", "swml", "run", *words, stdin=pipe, stdout=pipe, stderr=pipe,
        env=os.environ | {"PYTHONPATH": paths, "FAXCORE_SWML_SECRET": "between us"},
    )  # fmt: skip
    if during is not None:
        await during(process)
    out, err = await process.communicate(stdin)
    return process.returncode, out.decode(), err.decode()


def run(
    script: str | Path,
    *words: str,
    answers: dict[str, bytes] | None = None,
    allow: bool = True,
    during: Callable[[Server, Any], Awaitable[None]] | None = None,
) -> Run:
    """Runs a script in which https://example.com is a server of ours."""
    text = script.read_text() if isinstance(script, Path) else script
    given = {"/fax_to_send.pdf": reply(200, letter(2), Content_Type="application/pdf"), **(answers or {})}

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(given.get(asked.target, reply(200)))

    async def ran() -> Run:
        async with serving(answer) as server:
            host = f"127.0.0.1:{server.port}"
            allowed = ["--allow-host", host] if allow else []
            stdin = text.replace("https://example.com", f"http://{host}").encode()
            waiting = None if during is None else lambda process: during(server, process)
            return Run(*await command("-", "--json", *allowed, *words, stdin=stdin, during=waiting), server)

    return asyncio.run(ran())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["send_fax.yaml", "send_fax.json"])
def test_the_examples_of_the_documentation(name: str) -> None:
    done = run(EXAMPLES / name, "--from", "+15551231234", "--remote-identity", "+15553214321")
    assert (done.status, done.stderr) == (0, "")
    document = done.server.url("/fax_to_send.pdf")
    variables = {
        "send_fax_document": document,
        "send_fax_identity": "+15551231234",
        "send_fax_remote_identity": "+15553214321",
        "send_fax_pages": 2,
        "send_fax_result_code": 0,
        "send_fax_result_text": "Every page was confirmed",
        "send_fax_result": "success",
    }
    assert done.object == {**variables, "script_errors": [], "undelivered": []}
    (body,) = done.bodies(RESULT_PATH)
    assert body["vars"] == variables
    assert (body["params"], body["envs"]) == ({}, {})
    call = body["call"]
    assert (call["from"], call["to"], call["direction"]) == ("+15551231234", "+15553214321", "outbound")
    assert {"call_id", "node_id", "segment_id", "call_state", "type", "headers", "project_id", "space_id"} < set(call)
    assert done.server.targets() == ["/fax_to_send.pdf", RESULT_PATH]


WITH_STATUS = """
version: 1.0.0
sections:
  main:
    - send_fax:
        document: https://example.com/fax_to_send.pdf
        header_info: '%{envs.company}'
        identity: '+15550009'
        status_url: https://example.com/status
    - execute:
        dest: https://example.com/next
        params: {pages: '${send_fax_pages}', nested: {list: [1]}}
    - set: {last: '${from_next}'}
"""


def test_events_arrive_in_order_and_the_answer_of_execute_is_run() -> None:
    answers = {"/next": reply(200, b"- set: {from_next: '${params.pages} pages'}", Content_Type="text/x-yaml")}
    done = run(WITH_STATUS, "--env", "company=ACME", answers=answers)
    assert (done.status, done.stderr) == (0, "")
    events = done.bodies("/status")
    assert [body["params"]["fax"]["type"] for body in events] == ["page", "page", "finished"]
    assert [body["params"]["fax"]["params"].get("number") for body in events] == [1, 2, None]
    assert events[-1]["params"]["fax"]["params"] == {
        "direction": "send",
        "identity": "+15550009",
        "remote_identity": "+15551230002",
        "document": done.server.url("/fax_to_send.pdf"),
        "pages": 2,
        "success": True,
        "result": 0,
        "result_text": "Every page was confirmed",
        "format": "pdf",
    }
    assert {body["event_type"] for body in events} == {"calling.call.fax"}
    for name in ("call_id", "node_id", "control_id"):
        assert len({body["params"][name] for body in events}) == 1
    times = [body["timestamp"] for body in events]
    assert times == sorted(times)
    assert all(asked.headers["x-faxcore-signature"].startswith("sha256=")
               for asked in done.server.asked if asked.target == "/status")  # fmt: skip
    (asked,) = done.bodies("/next")
    assert asked["params"] == {"pages": "2", "nested": {"list": [1]}}
    assert asked["envs"] == {"company": "ACME"}
    assert done.server.targets()[-1] == "/next", "every event had arrived before the next step"
    assert done.object["last"] == "2 pages"


def test_over_t38() -> None:
    done = run(WITH_STATUS, "--t38")
    assert (done.status, done.stderr) == (0, "")
    assert [body["params"]["fax"]["type"] for body in done.bodies("/status")] == ["page", "page", "finished"]
    assert done.object["send_fax_result"] == "success"


def test_receiving(folder: Path) -> None:
    done = run((EXAMPLES / "receive_fax.yaml").read_text(), "--from", "+1777")
    assert (done.status, done.stderr) == (0, "")
    events = [body["params"]["fax"] for body in done.bodies("/fax_status")]
    assert [event["type"] for event in events] == ["page"] * 4 + ["finished"]
    stored = events[-1]["params"]["document"]
    assert stored == done.object["receive_fax_document"]
    assert len(faxcore.open_document(stored.removeprefix("file://")).pages) == 4
    (body,) = done.bodies("/handle_incoming_fax_result")
    assert [body["vars"][f"receive_fax_{name}"] for name in SEVEN] == [
        stored, "+1777", "+15551230002", 4, 0, "Every page was confirmed", "success"
    ]  # fmt: skip
    assert [path.as_uri() for path in folder.iterdir()] == [stored]


def test_a_document_that_is_missing() -> None:
    done = run(EXAMPLES / "send_fax.yaml", answers={"/fax_to_send.pdf": reply(404)})
    assert done.status == 1
    (body,) = done.bodies(RESULT_PATH)
    told = {name: body["vars"][f"send_fax_{name}"] for name in SEVEN}
    assert (told["result"], told["result_code"], told["pages"]) == ("failed", 41, 0)
    assert told["result_text"]


def test_without_allowance_nothing_on_loopback_is_asked() -> None:
    done = run(WITH_STATUS, allow=False)
    assert done.status == 1
    assert done.server.connections == 0
    assert done.object["send_fax_result"] == "failed"
    assert done.object["script_error"] == "relay_script_method_execute_failed"
    assert done.object["undelivered"][0]["fax"]["type"] == "error"
    assert "no public address" in done.stderr


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("- send_fax: {document: https://example.com/a.pdf, identity: +15551230001}", "invalid_value", "in quotes"),
        ("- send_fax: {document: https://example.com/a.pdf, header_info: no}", "invalid_value", "truth value"),
        ("- send_fax: {document: https//example.com/a.pdf}", "invalid_value", "must begin with"),
        ("- send_fax", "missing", "document is missing"),
        ("- send_fax: {file: a.pdf}", "undefined", "no parameter file"),
    ],
)
def test_parameters_that_are_refused(script: str, code: str, words: str) -> None:
    done = run(script)
    assert done.status == 1
    assert done.object["script_error"] == f"relay_script_method_parameter_{code}"
    assert words in done.object["script_errors"][0]["message"]
    assert words in done.stderr
    assert done.object["send_fax_result"] == "failed"


def test_a_script_that_cannot_be_read() -> None:
    done = run("sections: {start: [hangup]}")
    assert done.status == 1
    assert done.object["script_error"] == "relay_script_main_section_missing"
    assert done.stderr.startswith("faxcore: relay_script_main_section_missing: ")


def test_ctrl_c_while_a_document_does_not_come() -> None:
    async def during(server: Server, process: Any) -> None:
        process.stdin.write(script.replace("PORT", str(silent.sockets[0].getsockname()[1])).encode())
        process.stdin.close()
        await asked.wait()
        process.send_signal(signal.SIGINT)

    script = "- send_fax: http://127.0.0.1:PORT/a.pdf"

    async def ran() -> Any:
        nonlocal silent
        silent = await asyncio.start_server(lambda *_: asked.set(), "127.0.0.1", 0)
        async with silent:
            return await command("-", "--allow-host", "127.0.0.1", during=lambda process: during(Server(), process))

    silent: Any = None
    asked = asyncio.Event()
    status, out, err = asyncio.run(ran())
    assert (status, out) == (130, "")
    assert err == "faxcore: stopped\n"
