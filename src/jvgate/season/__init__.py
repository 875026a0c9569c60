"""A generated racing season as raw JV-Data, behind `demo:`.

Begin with `shelf.py`: it is the whole interface, the files and real-time answers that JV-Link's server would hold at a
moment. Behind it, each package uses only the ones above it:

    world/      the facts: meetings, programme, horses, people, results, careers (begin with `world.py`)
    market/     the betting of one race: votes, odds, payouts (begin with `market.py`)
    records/    the facts as JV-Data records, one module per group of record types (begin with `makers.py`)
    calendar/   the clock: which stored file is delivered when, what real-time data says at a moment
    silks.py    jockeys' silks as pictures

Everything follows from the seed by arithmetic (`world/rng.py`): no state is kept, and the same seed gives the same
bytes on every machine.
"""
