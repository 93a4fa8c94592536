"""Which contract is meant: however it is written, and only where that is certain."""

from __future__ import annotations

from brokers.instruments import contract_of, resolve
from justtrades import clock
from tests.streams.case import Case, act, buy, close, expect, long, sell, short

FRONT = resolve("MNQ1!", clock.now().date())
STEM, YEAR = FRONT.symbol[:-1], f"{FRONT.year}"
NEXT = contract_of(resolve("MNQ2!", clock.now().date()).symbol)


def meant(ticker: str) -> Case:
    return Case(f"{ticker.replace(STEM, 'MNQ.').replace(YEAR, 'YYYY')} is MNQ", (buy(ticker=ticker), expect(1, long(1)),
                close(ticker="MNQ1!")), placed=2)  # fmt: skip


def refused(ticker: str, code: str = "UNKNOWN_TICKER") -> Case:
    return Case(f"{ticker} is refused by name", (buy(ticker=ticker),), codes=(code,), placed=0)


CASES = (
    *(meant(ticker) for ticker in (
        "MNQ1!", "CME_MINI:MNQ1!", "MNQ", "mnq1!", "CME_MINI_DL:MNQ1!", f"{STEM}{YEAR}", f"{STEM}{YEAR[2:]}",
        f"{STEM}{YEAR[3:]}", f"CME_MINI:{STEM}{YEAR}", f"CME:{STEM}{YEAR[2:]}",
    )),
    *(refused(ticker) for ticker in ("XYZ1!", "AAPL", "MNQX1!", "BTCUSD", "M2K12!")),
    *(refused(ticker, "NO_VENUE") for ticker in ("NASDAQ:AAPL", "NYSE:ES")),
    Case("a wrong word for a ticker is refused", (buy(ticker="MNQ 1!?"),), codes=("UNKNOWN_TICKER",), placed=0),
    Case("the recorder's own name", (buy(ticker="GOLD"), expect(1, long(1, at="4100", target="4", stop="2")),
         close(ticker="gold")), recorder={"symbol_map": {"GOLD": "MGC1!"}}, placed=2),
    Case("the recorder's own name with an exchange", (sell(ticker="TVC:GOLD"),), -1,
         short(1, at="4100", target="4", stop="2"), recorder={"symbol_map": {"GOLD": "MGC1!"}}),
    Case("the recorder trades another one instead", (buy(ticker="NQ1!"),), 1, long(1),
         recorder={"symbol_map": {"NQ1!": "MNQ1!"}}),
    Case("M2K1! has a digit in its root", (buy(ticker="M2K1!"),), 1, long(1, at="2300", target="4", stop="2")),
    Case("6B1! begins with a digit", (buy(ticker="CME:6B1!"),), 1, long(1, at="1.3", target="0.004", stop="0.002")),
    Case("6J1! has seven decimals", (sell(ticker="6J1!"),), -1,
         short(1, at="0.0065", target="0.00002", stop="0.00001")),
    Case("SIL is not SI", (buy(ticker="SIL1!"),), 1, long(1, at="50", target="0.2", stop="0.1")),
    Case("another product's close ends nothing", (buy(), close(ticker="MES1!")), 1, long(1), ("ALREADY_FLAT",),
         placed=1),
    Case("another product's sell turns nothing around", (buy(), sell(ticker="MES1!")), 0,
         (*long(1), *short(1, at="6000")), placed=2),
    Case("NQ is not MNQ", (sell(ticker="MNQ1!"), buy(ticker="NQ1!")), 0, (*short(1), *long(1)), placed=2),
    Case("two products, each with its exit", (buy(), sell(ticker="MES1!"), close()), -1, short(1, at="6000"), placed=3),
    Case("the front month's close is for the dated entry, too", (buy(ticker=f"{STEM}{YEAR}"), close(ticker="MNQ")),
         placed=2),
    Case("no ticker but a symbol", (act("buy", ticker=None, symbol="MNQ1!"),), 1, long(1)),
    Case("no ticker but an instrument", (act("sell", ticker=None, instrument="MNQ1!"),), -1, short(1)),
)  # fmt: skip
