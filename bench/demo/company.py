"""Fernwick Pay as rows: everything that both databases hold, from the seed and the day alone."""

from datetime import date

from bench.demo import (
    customers,
    documents,
    growth,
    ownership,
    payments,
    procurement,
    profiles,
    reference,
    screening,
    support_tickets,
)
from bench.demo.world import World


def make(today: date) -> World:
    """The company whose present is `today`: the same day gives the same rows and the same papers."""
    world = World(today)
    drawn = profiles.draw()
    reference.fill(world)
    customers.fill(world, drawn)
    ownership.fill(world, drawn)
    documents.fill(world, drawn)
    screening.fill(world, drawn)
    payments.fill(world, drawn)
    support_tickets.fill(world, drawn)
    procurement.fill(world)
    growth.fill(world)
    return world
