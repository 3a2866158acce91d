"""CallGroup: many live calls on one clock, their fast modems side by side."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from faxcore.call.facade import FaxCall, Samples
from faxcore.carrier.work import Work, together


class CallGroup:
    """Calls that advance together, each exactly as it would alone; it belongs to one thread at a time.

        out = group.exchange(samples)

    Row i of `samples` and `out` belongs to `group.calls[i]`. The list may be changed between exchanges: calls come
    and go at any time. A finished call gives silence. What else a call has to say (events, result, `hang_up()`) is
    asked of the call itself.
    """

    def __init__(self, calls: Iterable[FaxCall] = ()) -> None:
        self.calls: list[FaxCall] = list(calls)

    def exchange(self, samples: npt.ArrayLike, missing: npt.ArrayLike | None = None) -> npt.NDArray[np.int16]:
        """Hear `samples`, int16 (calls, n), and give the next n samples of every call, int16 (calls, n).

        `missing`, (calls,), is true where nothing arrived for a call; its row is not looked at. TypeError for
        another type, ValueError for another shape or where a call comes twice.
        """
        heard = np.asarray(samples)
        if heard.dtype != np.int16:
            raise TypeError(f"samples are int16, not {heard.dtype}")
        if heard.ndim != 2 or len(heard) != len(self.calls):
            raise ValueError(f"samples have the shape {heard.shape}, ({len(self.calls)}, n) is needed")
        if len(set(map(id, self.calls))) != len(self.calls):
            raise ValueError("a call is in the group twice")
        out = np.empty(heard.shape, np.int16)
        lost = np.zeros(len(heard), bool) if missing is None else np.asarray(missing, bool)
        if lost.shape != (len(heard),):
            raise ValueError(f"missing has the shape {lost.shape}, ({len(heard)},) is needed")
        works = (_exchanging(call, row, gone) for call, row, gone in zip(self.calls, heard, lost.tolist(), strict=True))
        for number, answer in together(works, len(self.calls)):
            out[number] = answer
        return out


def _exchanging(call: FaxCall, samples: Samples, missing: bool) -> Work[Samples]:
    yield from call.missing(len(samples)) if missing else call.pushing(samples)
    return (yield from call.pulling(len(samples)))
