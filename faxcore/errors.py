"""Every exception of faxcore.

    FaxcoreError
     ├── DocumentError   a document that cannot be read, drawn or written
     │    └── FetchError      a document that cannot be brought from its URL
     ├── SwmlError       a script, or parameters of a method, that SWML does not allow
     ├── CallError       a call object used at the wrong time
     └── FrameError      octets that are no frame, field or packet; never leaves the engine

What the far end does wrong is no exception: it is a result with a code (`faxcore.FaxResult`).
Wrong arguments are ValueError and TypeError, as everywhere in Python.
"""

from __future__ import annotations


class FaxcoreError(Exception):
    """The base of faxcore's own exceptions."""


class DocumentError(FaxcoreError):
    """A document that cannot be read, drawn or written: says which file, which page and why.

    Attributes: `name` of the document, `page` (counted from 1) or None, `cause` in words, `code` the result
    code a call would report (41-47).
    """

    def __init__(self, name: str, cause: str, *, page: int | None = None, code: int = 43) -> None:
        super().__init__(name, cause, page, code)
        self.name, self.cause, self.page, self.code = name, cause, page, code

    def __str__(self) -> str:
        return f"{self.name}{f', page {self.page}' if self.page is not None else ''}: {self.cause}"


class FetchError(DocumentError):
    """A document that cannot be brought from its URL; `detail` is the finer number of `FaxResult.detail`."""

    def __init__(self, name: str, cause: str, *, detail: int, code: int = 41) -> None:
        super().__init__(name, cause, code=code)
        self.detail = detail
        self.args = (name, cause, detail, code)


class SwmlError(FaxcoreError):
    """What SWML reports as `script_error` and in the event `calling.script.warning`.

    Attributes: `code`, a name of SWML's error family such as "relay_script_method_parameter_missing", and
    `description` in words.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code, self.description = code, description

    def __str__(self) -> str:
        return f"{self.code}: {self.description}"


class CallError(FaxcoreError):
    """A call object was asked for what its state does not allow; nothing has changed."""


class FrameError(FaxcoreError):
    """Octets from the line that are not what their place says."""
