"""Webull's OpenAPI (US): futures, stocks and single-leg options."""
