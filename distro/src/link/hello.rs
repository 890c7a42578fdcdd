//! What a connection is for, from its first bytes. Pure.

use rustls::server::Acceptor;

use super::{JOIN, LINK, RENEW};

/// The most bytes that a first message may have: a TLS record is no longer.
pub const LONGEST: usize = 16 * 1024 + 5;

/// Who a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// kube-apiserver, which also answers what is no TLS at all.
    Api,
    /// A node that joins.
    Join,
    /// A node that renews.
    Renew,
    /// A node that is linked.
    Link,
    /// It cannot be said yet.
    More,
}

/// Looks at the first bytes of a connection.
#[must_use]
pub fn look(bytes: &[u8]) -> For {
    let mut acceptor = Acceptor::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        match acceptor.read_tls(&mut rest) {
            Ok(0) | Err(_) => return For::Api,
            Ok(_) => {}
        }
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) => {
                let hello = accepted.client_hello();
                return hello
                    .alpn()
                    .map_or(For::Api, |protocols| protocols.map(of).find(|f| *f != For::Api).unwrap_or(For::Api));
            }
            Err(_) => return For::Api,
        }
    }
    if bytes.len() < LONGEST { For::More } else { For::Api }
}

fn of(protocol: &[u8]) -> For {
    match protocol {
        JOIN => For::Join,
        RENEW => For::Renew,
        LINK => For::Link,
        _ => For::Api,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::{For, look};

    /// The first words of a client.
    pub fn hello(protocols: &[&[u8]]) -> Vec<u8> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let mut client = ClientConnection::new(Arc::new(config), "barn".try_into().expect("a name")).expect("a client");
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).expect("written");
        bytes
    }

    #[test]
    fn a_connection_is_for_whom_its_protocol_says() {
        assert_eq!(look(&hello(&[b"sk8s-join/1"])), For::Join);
        assert_eq!(look(&hello(&[b"sk8s-renew/1"])), For::Renew);
        assert_eq!(look(&hello(&[b"sk8s-link/1"])), For::Link);
        assert_eq!(look(&hello(&[b"h2", b"http/1.1"])), For::Api);
        assert_eq!(look(&hello(&[])), For::Api);
        assert_eq!(look(&hello(&[b"sk8s-link/2"])), For::Api, "a later protocol is not ours to answer");
    }

    #[test]
    fn half_a_hello_is_waited_for() {
        let whole = hello(&[b"sk8s-link/1"]);
        for length in 0..whole.len() {
            assert_eq!(look(&whole[..length]), For::More, "{length}");
        }
    }

    #[test]
    fn what_is_no_tls_is_kube_apiservers_to_refuse() {
        assert_eq!(look(b"GET / HTTP/1.1\r\n\r\n"), For::Api);
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = look(&bytes);
        }
    }
}
