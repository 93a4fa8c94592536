"""A lane: the process that owns a share of the broker logins, their sockets, and the way of their orders."""
