"""`python -m desktop_app.demo`: `flotilla demo`, with Ctrl+C heeded from the first import on."""

import sys

from desktop_app.demo.interrupts import leave_at_once

if __name__ == "__main__":
    leave_at_once()

    from desktop_app.cli import main

    sys.argv[1:1] = ["demo"]
    main()
