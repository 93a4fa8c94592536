"""What docs/SETTINGS.md says beside the catalogue: `tools.settings_doc` fills it in."""

from __future__ import annotations

GROUPS: dict[str, dict[str, str]] = {
    "How big": {
        "initial_position_size": "contracts",
        "add_position_size": "contracts",
        "at_least_one": "",
        "risk_dollars": "dollars",
        "risk_percent": "percent",
        "equity_percent": "percent",
        "max_contracts_per_trade": "contracts",
        "max_contracts_per_position": "contracts",
    },
    "How it gets out": {
        "targets": "list",
        "stop_distance": "in the stop's unit",
        "stop_unit": "",
        "stop_type": "",
        "trail_trigger_ticks": "ticks",
        "trail_step_ticks": "ticks",
        "break_even_ticks": "ticks",
        "break_even_offset_ticks": "ticks",
    },
    "How it gets in": {
        "entry_type": "",
        "limit_offset_ticks": "ticks",
        "limit_timeout_s": "seconds",
        "entry_delay_s": "seconds",
    },
    "What a signal does while a position is open": {
        "same_direction": "",
        "opposite_direction": "",
        "signal_blocking": "",
        "inverse_signals": "",
    },
    "When it may trade": {
        "direction_filter": "",
        "time_windows": "list",
        "auto_flat_after_cutoff": "",
        "signal_cooldown_s": "seconds",
        "max_signals_per_session": "entries",
        "max_daily_loss": "dollars",
        "max_open_positions": "contract months",
        "min_option_premium": "dollars",
        "every_nth_signal": "signals",
    },
}
"""Each setting with its unit, in the order in which they are read."""

GATE_TEXTS: dict[str, tuple[str, str, str, str]] = {
    "_direction": ("direction", "`direction_filter`", "is this side allowed?", "nothing"),
    "_window": (
        "time window",
        "`time_windows`",
        "is it inside any of them, in the owner's time zone? The end is outside.",
        "nothing",
    ),
    "_cooldown": (
        "cool-down",
        "`signal_cooldown_s`",
        "are so many seconds over since the last entry?",
        "this trader's last entry or add that was taken",
    ),
    "_session": (
        "most entries per session",
        "`max_signals_per_session`",
        "were fewer taken?",
        "this trader's entries and adds that were taken since 17:00 Chicago",
    ),
    "_daily_loss": (
        "daily loss",
        "`max_daily_loss`",
        "is the loss still smaller? An open position that nobody can value denies; a limit that was unlocked does not.",
        "this trader's realised dollars since its account's session began, after fees, plus what is open now",
    ),
    "_open_positions": (
        "open positions",
        "`max_open_positions`",
        "are fewer open? Fresh entries only: an add opens none, and a reversal first closes one.",
        "contract months with a position on the account, whichever of its traders opened it",
    ),
    "_premium": ("option premium", "`min_option_premium`", "does the alert state at least so much?", "nothing"),
    "_nth": (
        "every Nth",
        "`every_nth_signal`",
        "is it the Nth?",
        "this trader's entries that came as far as this gate, taken or not",
    ),
}
"""Of each gate of `traders.gates.GATES`: its name, setting, question, and what it counts."""

ALERT_FIELDS: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("sl", "stop_loss", "sl_ticks"), ("stop_distance", "stop_unit"), "Stop, ticks from the fill."),
    (("dollar_sl", "sl_dollar"), ("stop_distance", "stop_unit"), "Stop, dollars per contract."),
    (
        ("percentage_sl", "sl_percent", "sl_percentage"),
        ("stop_distance", "stop_unit"),
        "Stop, percent of the fill.",
    ),
    (("sl_price", "stop_price"), ("stop_distance", "stop_unit"), "Stop at this price."),
    (("tp", "take_profit", "tp_ticks"), ("targets",), "One target for the whole position, ticks from the fill."),
    (("dollar_tp", "tp_dollar"), ("targets",), "The same, dollars per contract."),
    (("percentage_tp", "tp_percent", "tp_percentage"), ("targets",), "The same, percent of the fill."),
    (("tp_price", "target_price"), ("targets",), "The same, at this price."),
    (("trail", "trailing_stop"), ("stop_type",), "Yes or a number trails the stop; no or 0 fixes it."),
    (("trail_trigger", "trail_start"), ("trail_trigger_ticks",), "Ticks of profit before it trails."),
    (("trail_freq", "trail_frequency", "trail_interval"), ("trail_step_ticks",), "Ticks by which it moves."),
    (("breakeven", "break_even"), ("break_even_ticks",), "Ticks of profit that move the stop to the entry."),
    (
        ("breakeven_offset", "be_offset", "break_even_offset"),
        ("break_even_offset_ticks",),
        "Ticks beyond the entry.",
    ),
    (("risk_dollars", "risk_amount", "risk_dollar"), ("risk_dollars",), "Dollars lost at the stop; sets the size."),
    (("risk_percentage", "risk_percent"), ("risk_percent",), "Percent of the account lost at the stop."),
    (
        ("same_direction_ignore", "ignore_same_direction", "no_duplicate"),
        ("same_direction",),
        "true: a signal on the held side is ignored. false inherits.",
    ),
    (("duplicate_position_allow",), ("same_direction",), "false: the same. true inherits."),
)
"""Names that an alert may use, the settings that they set, and what for."""

PREDECESSOR: tuple[tuple[str, str, str], ...] = (
    (
        "`add_delay`",
        "`every_nth_signal`, `entry_delay_s`",
        "It was labeled a delay, documented as seconds, and took every Nth signal. Here the two are two settings: "
        "what was 3 is `every_nth_signal` 3 (it counts only what passed all other gates), and seconds to wait are "
        "`entry_delay_s`.",
    ),
    (
        "`tp_targets`, `tp_units`, `trim_units`",
        "`targets`",
        "Each target has a unit and a trim unit of its own. The keys `ticks` and `value` are still read.",
    ),
    (
        "units `Points`",
        "unit `dollars`",
        "What was called points were dollars per contract; `points` are price points.",
    ),
    ("`sl_enabled`, `sl_amount`, `sl_units`", "`stop_distance`, `stop_unit`", "Not enabled is a distance of 0."),
    ("`sl_type` Trail", "`stop_type` `trailing`", "A trader may also turn it back to `fixed`."),
    ("`break_even_enabled`", "`break_even_ticks`", "Not enabled is 0."),
    ("`avg_down_enabled`", "`same_direction` `add`", "With `opposite_direction` `block_while_dca` for its other half."),
    ("`same_direction_ignore`", "`same_direction` `ignore`", ""),
    ("`time_filter_1_*`, `time_filter_2_*`", "`time_windows`", "Up to five, in the owner's own time zone."),
    ("`max_contracts` of a trader", "`max_contracts` of each account", "Cuts what the account holds; empty is no cap."),
    ("overrides of 0", "0", "0 used to mean the recorder's value; null means that here, and 0 is 0."),
)

TEMPLATE = """\
# Settings

Made by `tools/settings_doc.py` from `recorders/settings.py` and `traders/gates.py`; change those, then run
`.venv/bin/python -m tools.settings_doc`.

## Whose value counts

1. What the **alert** states, for that signal only.
2. What the **trader** overrides.
3. What the **recorder** says.

Each setting is resolved by itself, when the signal comes: a trader that overrides the stop still follows the
recorder's targets, and a change of either counts from the next signal. Every intent keeps the values that it was made
with and whose each of them was; `/api/traders/<id>/` shows them beforehand as `effective`.

- **Not given is inherited.** In the API that is null or an absent field, on the pages an empty one. A PATCH changes
  what it names and nothing else; null clears an override.
- **0 is 0**: no target, no stop, no limit, the alert's own quantity. It is never "inherit".
- `risk_dollars`, `risk_percent` and `equity_percent` are three ways to set one size: whoever states one of them
  switches off the others below it.
- Layers that contradict each other, such as a cut-off without a window, are refused when they are saved. Where a
  later change of the recorder makes them contradict, signals are declined with `BAD_SETTINGS`, and the trader shows
  why as `effective_problem`.

A trader on several **accounts** has one row for each. The further accounts take the first one's overrides; each has
its own `multiplier`, `max_contracts`, `custom_ticker` and `convert_size`.

## The settings

Points are price points (1.0 of the quoted price); dollars are dollars per contract; percent of a distance is percent
of the fill. Decimals are JSON text such as `"12.5"`.

{groups}
A **target** is `{{"distance", "unit", "trim", "trim_unit"}}`: how far from the fill in `ticks`, `points`, `percent`,
`dollars` or at a `price`, and how much of the position it closes in `percent` or whole `contracts`. Without a trim it
takes what the others leave. In the API `{{"ticks": 40}}` and `{{"value": 40, "unit": "points"}}` are read, too;
`target_ticks` is short for one target of so many ticks, `stop_ticks` for a stop in ticks.

A **time window** is `{{"start", "end"}}`, times of day in the owner's zone. An end before the start is on the next day.

Of each account of a trader:

| name | default | meaning |
| --- | --- | --- |
| `multiplier` | `1` | Sizes are multiplied by it; 0 follows without trading. |
| `max_contracts` | none | The most contracts that this account may hold of one product through this trader. |
| `custom_ticker` | none | What is traded instead of the signal's ticker, such as MNQ1! for NQ1!. |
| `convert_size` | no | Scales by the point values, 1 NQ is 10 MNQ; only within one family of products. |

## What must be passed before exposure is added

In this order; the first denial is the reason that is told. Exits are never asked, and neither is what closes a
position in a reversal; a re-entry that is denied closes nothing. `inverse_signals` comes before all of it.

{gates}
A session is a trade date of the exchange: it starts at 17:00 Chicago. Taken are entries and adds that the gates and
the pre-trade checks let through, whatever the broker then said. What a gate counts is counted for the trader's
account alone.

## How sizes are rounded

1. `risk_dollars`, `risk_percent` or `equity_percent`, if one is on; else the fixed size; else the alert's quantity.
2. Times the `multiplier`; a fixed or stated size also times the conversion between products, if that is on.
3. **Down** to whole contracts. Less than one is none, and the signal says so; with `at_least_one` it is one.
4. Cut to the smallest of `max_contracts_per_trade`, what is left of `max_contracts_per_position`, and what is left of
   the account's `max_contracts`.

Targets share a position contract by contract: each goes to the target that is furthest behind its share, the nearest
of equals, after those that want whole contracts. So the legs sum to the position, and an add never shrinks one.
Trims in contracts are multiplied by the `multiplier`, too. `/api/traders/preview/` shows the legs.

## How prices are rounded

- A distance is rounded down to whole ticks, but to one tick at least.
- A stop's or target's price goes to the tick **toward the entry**: never farther from it than asked, and at least one
  tick beyond it. A price on its wrong side counts as far on the right one.
- Break-even goes to the nearest tick.
- A limit entry's price is never worse than the one that was asked for: buys round down, sells round up.

## What an alert may override

For this one signal, by these names. A number may be text; 0 means none; empty or left out is inherited. A
distance that is given in two units is refused. What the setting does not allow refuses the alert by the field's name.

{alert_fields}
Other services' messages are read by their own names: each file in `recorders/dialects/` has them. The quantity counts
where `initial_position_size` or `add_position_size` is 0.

## What became of the predecessor's settings

{predecessor}"""
