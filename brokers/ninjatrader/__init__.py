"""NinjaTrader Brokerage: the same servers and protocol as Tradovate, under another name and sign-in page."""
