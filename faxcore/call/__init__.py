"""What a user holds: one fax call, fed with the line's samples and asked for ours."""

from faxcore.call.facade import FaxCall, Progress

__all__ = ["FaxCall", "Progress"]
