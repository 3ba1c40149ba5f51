"""``python -m ppvd``."""

from ppvd.cli import main

if __name__ == "__main__":
    main()
