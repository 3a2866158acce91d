"""The command `faxcore`. What draws, codes or shows is imported when a fax is really sent."""

from faxcore.cli.bench import bench
from faxcore.cli.commands import main
from faxcore.cli.sweep import sweep

main.add_command(bench)
main.add_command(sweep)

__all__ = ["main"]
