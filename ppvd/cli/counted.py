"""Numbers with their nouns."""


def counted(number: int, noun: str, *, none: str = "0") -> str:
    """Return ``1 shard``, ``2 shards``; for 0, ``none`` and the plural."""
    return f"{number or none} {noun}" + "s" * (number != 1)
