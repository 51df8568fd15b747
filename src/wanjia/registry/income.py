"""The income statement's arithmetic (domain.md §4.4). Every amount in fen; None where nothing was collected."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# what is the sum of what
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "property_income": ("asset_dividend", "land_lease", "other_property_income"),
        "transfer_income": (
            "family_planning_grant",
            "dibao_grant",
            "tekun_grant",
            "pension_income",
            "eco_compensation",
            "other_transfer",
        ),
    }
)
WHOLE_OF: Mapping[str, str] = MappingProxyType({part: whole for whole, parts in PARTS.items() for part in parts})


def together(*parts: int | None) -> int | None:
    """The sum of the parts that are known; None if none is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def net(gross: int | None, expense: int | None) -> int | None:
    """Gross income less what business cost."""
    return None if gross is None else gross - (expense or 0)


def monitored(net_income: int | None, claims: int | None, out_of_pocket: int | None) -> int | None:
    """Net income with insurance claims added and eligible medical costs taken off (domain.md §4.4, formula K)."""
    return None if net_income is None else net_income + (claims or 0) - (out_of_pocket or 0)


def per_head(amount: int | None, members: int | None) -> int | None:
    """An amount for each member, half a fen rounded up; None without members."""
    if amount is None or not members:
        return None
    return (2 * amount + members) // (2 * members)
