"""What a venue or a prop firm says about automated trading, and who agreed to it when."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from accounts.models import User
from brokers.models import BrokerAgreement
from brokers.picker import policy_hash


def agree(*, owner: User, venue: str, firm: str = "") -> BrokerAgreement:
    """Note that the owner agrees, now, to the text as it stands; agreeing again keeps the first time.

    Raises `ValidationError` where there is no such venue or firm.
    """
    try:
        text_hash = policy_hash(venue, firm)
    except KeyError:
        raise ValidationError({"venue": "There is no such broker."}) from None
    agreement, _created = BrokerAgreement.objects.get_or_create(
        owner=owner, venue=venue, firm=firm, text_hash=text_hash
    )
    return agreement
