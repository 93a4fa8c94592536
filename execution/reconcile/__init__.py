"""Reconciliation: the broker as truth. Our orders, fills and positions held against its own, and what comes of it."""
