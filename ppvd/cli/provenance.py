"""What is said below the numbers of a test."""

from lightning import LightningModule


def provenance(model: LightningModule, folder: str | None) -> str:
    """Return a line for each benchmark with its protocol, and where everything is written."""
    lines = []
    for name, benchmark in getattr(model, "benchmarks", {}).items():
        card = benchmark.card(model.unit)
        alignment = card["used"]["alignment"] or {"solver": "the metrics' own"}
        how = f"{alignment['solver']} in {alignment['space']}" if "space" in alignment else ""
        lines.append(
            f"{name}: {card['name']} ({card['hash']}), {how or alignment['solver']} alignment"
        )
    if folder is not None:
        lines.append(f"written to {folder}")
    return "\n".join(lines)
