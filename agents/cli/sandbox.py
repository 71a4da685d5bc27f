"""`loopwright sandbox`: what the sandbox can promise on this system."""

from __future__ import annotations

import click


@click.group("sandbox")
def command() -> None:
    """The sandbox in which programs of models run."""


@command.command("doctor")
@click.option(
    "--level",
    type=click.Choice(["strict", "standard", "language"]),
    default="standard",
    show_default=True,
    help="Exit with 1 where this system does not reach the level.",
)
def doctor(level: str) -> int:
    """Start a worker, and say which layers of protection took effect, and what is not promised."""
    from loopwright.sandbox import probe

    report = probe()
    click.echo(str(report))
    order = ("language", "standard", "strict")
    return 0 if order.index(report.level) >= order.index(level) else 1
