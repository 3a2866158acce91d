"""What a user holds: one fax call, fed with the line's samples and asked for ours, or a group of them."""

from faxcore.call.facade import FaxCall, Progress
from faxcore.call.group import CallGroup

__all__ = ["CallGroup", "FaxCall", "Progress"]
