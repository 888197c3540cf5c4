"""`python -m app.cli`: as the command `text2earth`."""

from app.cli import main

main()
