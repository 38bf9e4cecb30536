"""`python -m nightshift`: the command, where its program is not on the path."""

from nightshift.start import main

if __name__ == "__main__":
    main()
