"""What a newcomer reads when everything is up."""

from __future__ import annotations

import json
from typing import Any

_ENTRY = {"action": "buy", "ticker": "MNQ1!", "price": "25300", "contracts": "1"}
_EXIT = {**_ENTRY, "action": "close"}


def banner(content: dict[str, Any]) -> str:
    """`content` is that of `var/demo.json`; without a demo in it only the address is shown."""
    lines = ["", "Just Trades is ready.", "", f"  dashboard   {content['dashboard_url']}"]
    if "webhook_url" in content:
        address = content["webhook_url"]
        lines += [
            f"  sign in     {content['email']}  /  {content['password']}",
            f"  webhook     {address}",
            "",
            "Buy one on every demo account, then close it:",
            "",
            f"  {_curl(address, _ENTRY)}",
            f"  {_curl(address, _EXIT)}",
        ]
    if "every_venue" in content:
        lines += ["", "Buy one at every broker:", "", f"  {_curl(content['every_venue']['webhook_url'], _ENTRY)}"]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])


def _curl(address: str, alert: dict[str, str]) -> str:
    return f"curl -X POST {address} -H 'Content-Type: application/json' -d '{json.dumps(alert, separators=(',', ':'))}'"
