"""The season's world: horses, people, programme, races and their results, from a seed."""
