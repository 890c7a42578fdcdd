//! Where a program's own bytes end.

/// Bytes of the header that are looked at.
const HEADER: usize = 64;

/// The end of an ELF program of 64-bit words, lowest byte first, in bytes from its start: linkers put the table of sections
/// last. `None` if the bytes are no head of such a program, or it has no such table.
///
/// Fields as in elf(5): `e_shoff` at 40, `e_shentsize` at 58, `e_shnum` at 60.
#[must_use]
pub fn end_of_program(head: &[u8]) -> Option<u64> {
    let head = head.get(..HEADER)?;
    if head[..6] != *b"\x7fELF\x02\x01" {
        return None;
    }
    let word = |at: usize| u64::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let table = u64::from_le_bytes(head[40..48].try_into().ok()?);
    let (entry, entries) = (word(58), word(60));
    if table == 0 || entry == 0 || entries == 0 {
        return None;
    }
    table.checked_add(entry * entries)
}
