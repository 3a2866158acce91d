"""URLs as parameters: what is one, and what of it may be shown."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from faxcore.errors import SwmlError

MOST = 2048
"""Characters of a URL; servers take no more."""


def checked_url(parameter: str, url: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of an absolute URL. SwmlError names the parameter and what is wrong with the URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # its digits are checked when it is read
    except ValueError as fault:
        raise _invalid(parameter, url, str(fault)) from fault
    if parts.scheme not in schemes:
        raise _invalid(parameter, url, f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if len(url) > MOST or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise _invalid(parameter, url, f"it is longer than {MOST} characters or has blanks in it")
    if parts.scheme != "file" and not parts.hostname:
        raise _invalid(parameter, url, "it names no host")
    return parts


def without_credentials(url: str) -> str:
    """The URL without user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url


def _invalid(parameter: str, url: str, why: str) -> SwmlError:
    code = "relay_script_method_parameter_invalid_value"
    return SwmlError(code, f"{parameter} is no URL that can be used: {why}: {url[:100]!r}")
