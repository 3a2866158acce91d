"""The words of the command line: what they offer, what they refuse, and what they cost to print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import faxcore
from faxcore.cli import main
from faxcore.options import BUILT_CODINGS, BUILT_MODULATIONS, KNOWN_CODINGS, KNOWN_MODULATIONS, Options
from faxcore.page import RESOLUTIONS

SAMPLE = str(Path(faxcore.__file__).with_name("cli") / "sample.pdf")
LATER_CODINGS = [name for name in KNOWN_CODINGS if name not in BUILT_CODINGS]
LATER_MODULATIONS = [name for name in KNOWN_MODULATIONS if name not in BUILT_MODULATIONS]
HEAVY = {"numpy", "scipy", "pypdf", "PIL", "rich", "msgspec", "pypdfium2", "asyncio", "httpx2", "yaml"}


def faxcore_command(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="faxcore")


ASKING = [["--version"], ["--help"], ["send", "--help"], ["receive", "--help"], ["swml", "run", "--help"]]


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_asking_for_words_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from faxcore.cli import main\n"
        f"try: main({words!r}, prog_name='faxcore')\n"
        "except SystemExit as end: assert not end.code\n"
        f"print('LOADED', *sorted({HEAVY!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_version_names_the_kernels() -> None:
    done = subprocess.run([sys.executable, "-m", "faxcore", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"faxcore {faxcore.__version__} (native kernels, ")


@pytest.mark.parametrize("command", ["send", "receive"])
def test_help_offers_what_is_built_and_nothing_else(command: str) -> None:
    text = " ".join(faxcore_command(command, "--help").output.split())
    for word in (*BUILT_CODINGS, *BUILT_MODULATIONS, *RESOLUTIONS, "pdfium", "poppler"):
        assert word in text
    assert "udptl://" in text
    for word in (*LATER_CODINGS, *LATER_MODULATIONS):
        assert word not in text
    assert f"default: {Options().max_rate}" in text
    assert f"default: {Options().min_rate}" in text


WRONG = [
    ["--to", "paris"],
    ["--to", "udptl://192.0.2.1"],
    ["--loss", "0.1"],
    ["--jitter", "10"],
    ["--pcap", "call.pcap"],
    ["--noise", "-40", "--t38"],
    ["--law", "a", "--t38"],
    ["--delay", "5", "--to", "udptl://192.0.2.1:4000"],
    ["--remote-identity", "x", "--to", "udptl://192.0.2.1:4000"],
    ["--loss", "2", "--t38"],
    ["--output", "received.doc"],
    ["--output", "/nowhere/at/all/received.pdf"],
    ["--max-rate", "1200"],
    ["--max-rate", "0"],
    ["--min-rate", "24000"],
    ["--modulation", "v34"],
    ["--coding", "jpeg"],
    ["--noise", "3"],
    ["--delay", "-1"],
    ["--seed", "-1"],
    ["--resolution", "1200x1200"],
    ["--width", "a2"],
    ["--first-page", "0"],
    ["--first-page", "99"],
    ["--sub-address", "x" * 21],
    ["--allow", "number=1"],
    ["--allow", "password"],
    *(["--pages", pages] for pages in ("", "0", "1-9", "2-1", "1,", "-3", "one", "1-999999999")),
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_word_is_a_usage_error_that_names_its_option(words: list[str]) -> None:
    result = faxcore_command("send", SAMPLE, *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words[0] in result.stderr.splitlines()[-1]


def test_the_output_is_never_the_document() -> None:
    result = faxcore_command("send", SAMPLE, "--output", SAMPLE)
    assert result.exit_code == 2
    assert "is the document itself" in result.stderr


@pytest.mark.parametrize("words", [[], ["--from", SAMPLE, "--listen", "udptl://127.0.0.1:4000"]], ids=["no", "both"])
def test_a_receiver_has_one_source(words: list[str]) -> None:
    result = faxcore_command("receive", *words)
    assert result.exit_code == 2
    assert "either --from DOCUMENT or --listen" in result.stderr
