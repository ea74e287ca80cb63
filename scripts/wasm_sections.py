"""What the scripts read in a WebAssembly module."""

CUSTOM = 0
EXPORTS = 7
IMPORTS = 2


def number(data, at):
    """An unsigned LEB128 number and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def name(data, at):
    """A name and the position after it."""
    length, at = number(data, at)
    return data[at : at + length].decode(), at + length


def sections(data):
    """The number of each section, and the positions where its content begins and ends."""
    at = 8
    while at < len(data):
        section, (size, start) = data[at], number(data, at + 1)
        at = start + size
        yield section, start, at


def exports(data, start):
    """The exports of the section that begins there: each name, and its entry's two ends."""
    count, at = number(data, start)
    for _ in range(count):
        entry = at
        item, at = name(data, at)
        at = number(data, at + 1)[1]  # the kind, then the index
        yield item, entry, at


def listed(path):
    """The lines of a list that are no comments."""
    return [line.strip() for line in open(path) if line.strip() and not line.startswith("#")]
