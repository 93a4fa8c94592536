"""What surrounds an entry and may forbid it: gathered for `risk.checks`, which decides."""
