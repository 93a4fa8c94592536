"""A small exchange: orders traded against quotes, and the positions and cash that come of it. Pure."""
