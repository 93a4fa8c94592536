"""Tradovate as it is on the wire: REST and WebSocket, books, matching engine, faults."""
