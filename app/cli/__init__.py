"""The command line `text2earth`: one file for each group of commands, with the same code paths as the page.

Nothing heavy is imported until a command needs it. Start reading at `commands`, then `scene`.
"""

from app.cli.commands import main

__all__ = ["main"]
