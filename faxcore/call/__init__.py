"""What a user holds: one fax call or gateway, fed with the line's samples and asked for ours, or a group of calls."""

from faxcore.call.facade import FaxCall, Progress
from faxcore.call.gateway import Gateway
from faxcore.call.group import CallGroup

__all__ = ["CallGroup", "FaxCall", "Gateway", "Progress"]
