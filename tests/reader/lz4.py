"""Undoes LZ4, as far as Kafka uses it.

In: a frame (github.com/lz4/lz4, doc/lz4_Frame_format.md) as a whole. Out: its content. Invariant:
matches reach back over the blocks of their frame, so linked and independent blocks are read alike.
Checksums are skipped: Kafka has one over the whole batch. A frame that breaks off raises IndexError or ValueError.
"""

MAGIC = 0x184D2204


def content(frame: bytes) -> bytes:
    if int.from_bytes(frame[:4], "little") != MAGIC:
        raise ValueError("this is no LZ4 frame")
    flags = frame[4]
    content_checksum_size, size_known, block_checksum, dictionary = flags & 4, flags & 8, flags & 16, flags & 1
    if dictionary:
        raise ValueError("the LZ4 frame needs a dictionary")
    at = 7 + (8 if size_known else 0)
    out = bytearray()
    while size := int.from_bytes(frame[at : at + 4], "little"):
        length = size & 0x7FFFFFFF
        at += 4
        block = frame[at : at + length]
        if len(block) < length:
            raise ValueError("the LZ4 frame breaks off")
        if size >> 31:
            out += block
        else:
            _block(block, out)
        at += length + (4 if block_checksum else 0)
    if len(frame) < at + 4 + content_checksum_size:
        raise ValueError("the LZ4 frame breaks off")
    return bytes(out)


def _block(block: bytes, out: bytearray) -> None:
    at = 0
    while True:
        token = block[at]
        literals, at = _length(block, token >> 4, at + 1)
        out += block[at : at + literals]
        at += literals
        if at >= len(block):
            return
        distance = int.from_bytes(block[at : at + 2], "little")
        length, at = _length(block, token & 15, at + 2)
        length += 4
        if not 0 < distance <= len(out):
            raise ValueError("the LZ4 block reaches back too far")
        # A match may overlap what it makes: then it repeats.
        start = len(out) - distance
        piece = out[start : start + length]
        out += (piece * (length // len(piece) + 1))[:length]


def _length(block: bytes, nibble: int, at: int) -> tuple[int, int]:
    """A length of four bits, and the bytes that go on where it is full."""
    length = nibble
    while nibble == 15:
        more = block[at]
        at += 1
        length += more
        if more < 255:
            break
    return length, at
