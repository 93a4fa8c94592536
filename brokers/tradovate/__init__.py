"""Tradovate, which is also NinjaTrader Brokerage's backend: one login, one user socket, REST beside it."""
