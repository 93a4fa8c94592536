"""The crash-proof receipt: alerts are sent while processes are killed, then the venue's own books are audited.

Words of the verdict:

- acked: the sender got a 200 with a `signal_id`. Only then has anything been promised.
- executed: every order intent of the signal is DONE, and each entry is in the venue's books.
- nothing to do: a resend comes 5 s late, so alerts overtake one another; a close that finds its accounts flat, or a buy
  that finds them long, has nothing left to execute, and the signal says so.
- reported: the signal has a final outcome other than execution, and its owner can read which and why. A kill can make
  an entry provably not placed, which is never sent again where the venue enforces no unique ids; an entry whose lane
  was down for 30 s expires.
- lost: acked, but without a final outcome, or with an outcome that the books contradict.
- doubled: a client order id twice in an account's books, an entry that no intent asked for, or an account whose net
  position is not what its executed intents add up to.
- unprotected: a position without a working stop of its full size for more than 5 s at any time, or at the end; or an
  order left working on a flat account, which could open a position that nobody protects.
"""
