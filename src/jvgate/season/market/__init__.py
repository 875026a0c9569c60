"""The betting market of a race: votes, odds and payouts of all pools."""
