"""Bodies that are not JSON, and of which it is plain all the same what they mean."""

from __future__ import annotations

from typing import Any

from recorders.alert import Flag
from tests.recorders.corpus.case import Case, says

FLAGS = (Flag.REPAIRED,)


def repaired(name: str, body: str, **rest: Any) -> Case:
    told = {"quantity": 2, "flags": FLAGS, **rest}
    return says(f"repaired {name}", body.encode(), "canonical", "buy", **told)


REPAIRED: tuple[Case, ...] = (
    repaired("trailing comma", '{"action":"buy","ticker":"MNQ1!","contracts":"2",}'),
    repaired("curly quotes",
        "{\u201caction\u201d:\u201cbuy\u201d,\u201cticker\u201d:\u201cMNQ1!\u201d,\u201cqty\u201d:2}"),
    repaired("single quotes", "{'action': 'buy', 'ticker': 'MNQ1!', 'contracts': 2, 'x': None, 'y': True}"),
    repaired("stray quote behind a number",
             '{"action":"buy","ticker":"MNQ1!","contracts":2","entry_price":25035.75","price":25035.75"}',
             price="25035.75"),
    repaired("empty place", '{"action":"buy","ticker":"MNQ1!","contracts":2,"q": ,"price":}'),
    repaired("NaN in context", '{"action":"buy","ticker":"MNQ1!","contracts":2,"price":NaN,"close":na}'),
    repaired("line break in a text", '{"action":"buy","ticker":"MNQ1!","contracts":2,"comment":"TP\n1"}'),
    repaired("missing brace", '{"action":"buy","contracts":"2","ticker":"MNQ1!"\n'),
    repaired("one brace too many", '{"action":"buy","contracts":"2","ticker":"MNQ1!"}}'),
    repaired("label", 'Order: {"action":"buy","contracts":"2","ticker":"MNQ1!"}'),
    repaired("bare words", "{action: buy, ticker: CME_MINI:MNQ1!, contracts: 2}", ticker="CME_MINI:MNQ1!"),
    repaired("unread placeholder", '{"action":"buy","ticker":"MNQ1!","contracts":2,"x":{{plot_0}}}'),
)  # fmt: skip
