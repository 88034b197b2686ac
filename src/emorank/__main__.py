"""python -m emorank."""

from emorank.cli import main

main()
