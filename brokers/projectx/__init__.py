"""ProjectX, the platform behind TopstepX and other prop firms: one Gateway API, a host of its own per firm."""
