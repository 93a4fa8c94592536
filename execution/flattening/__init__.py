"""Closing what is to be flat, until our books and the broker's agree that it is."""
