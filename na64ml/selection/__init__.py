"""Analysis variables, cuts, cut flows, search modes and blinding."""
