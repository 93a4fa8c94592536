"""What ends exposure that nobody wanted: positions without their stop, exits without a position, contracts too many.

Each part works from rows alone, so that a crash at any moment costs a repetition and no more.
"""

from execution.watchdog.rounds import Watchdog

__all__ = ["Watchdog"]
