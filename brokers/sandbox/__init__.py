"""Sandbox brokers: the venues' true wire protocols with a matching engine behind, for tests, demo and fire-drill."""
