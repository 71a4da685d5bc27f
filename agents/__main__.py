"""`python -m loopwright`: the same as the `loopwright` command."""

from .cli import main

main()
