# SPDX-License-Identifier: MIT
"""What may be reached by the arrows of a table."""

def closure(arrows, room):
    """The room and all rooms that its arrows lead to."""
    found = [room]
    for _ in arrows:
        found += [below for at in found for below in arrows[at] if below not in found]
        found = depset(found).to_list()
    return found
