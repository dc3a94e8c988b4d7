"""The house rules, a file each: what `tests/house/check` runs, in this order.

A rule is a function that gives offences: those of RULES look at the tree of files,
those of DEPENDENCY_RULES at cargo's metadata and deny.toml.
"""

from . import edges, exemptions, headers, hosts, lengths, licences, logs, names, unused, waiting

RULES = [
    headers.check,
    lengths.check,
    names.check,
    logs.check,
    waiting.check,
    exemptions.check,
    hosts.check,
]
DEPENDENCY_RULES = [edges.check, licences.check_licences, licences.check_bans, unused.check]
