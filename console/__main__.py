"""`python -m console` is `console`."""

from console.cli import main

main()
