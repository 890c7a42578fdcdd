//! Ports on which something listens, from proc_pid_net(5).

use std::collections::BTreeSet;

/// The state that the kernel writes for a listening socket (`TCP_LISTEN`).
const LISTEN: &str = "0A";

/// The ports in the texts of `/proc/net/tcp` and `/proc/net/tcp6`, sorted.
pub fn listening(texts: &[String]) -> Vec<u16> {
    let port = |line: &str| {
        let mut words = line.split_whitespace();
        let local = words.nth(1)?;
        let state = words.nth(1)?;
        (state == LISTEN).then_some(())?;
        u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()
    };
    texts.iter().flat_map(|text| text.lines()).filter_map(port).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::listening;

    #[test]
    fn only_listeners_are_counted() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue\n   \
                    0: 0100007F:192B 00000000:0000 0A 00000000:00000000\n   \
                    1: 0100007F:9C40 0100007F:192B 01 00000000:00000000\n";
        assert_eq!(listening(&[text.to_owned(), text.to_owned()]), [6443]);
    }
}
