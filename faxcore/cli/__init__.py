"""The command `faxcore`. What draws, codes or shows is imported when a fax is really sent."""

from faxcore.cli.commands import main

__all__ = ["main"]
