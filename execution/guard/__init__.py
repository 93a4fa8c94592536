"""The monitor of a lane: what its accounts are worth now, and what is done when that reaches a limit."""
