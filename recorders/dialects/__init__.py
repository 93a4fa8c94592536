"""One file per alert dialect. Which one an alert speaks is decided by its keys, never by luck."""
