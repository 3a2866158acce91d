"""`python -m faxcore` is the command `faxcore`."""

from faxcore.cli import main

main(prog_name="faxcore")
