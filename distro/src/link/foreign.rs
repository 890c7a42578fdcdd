//! Another cluster at the place of a node's own: its controller was reset and made anew, or its address is another's now.

use std::io;

use rustls::{CertificateError, Error};

/// What a node says then, and what to do.
pub const ANOTHER: &str = "another cluster answers in this one's place: bring this one's controller back (`sk8s restore`), \
                           or make this a new node (`sk8s reset`) and let it join";

/// A failed connection in words.
#[must_use]
pub fn told(error: &io::Error) -> String {
    if is_another(error) { ANOTHER.to_owned() } else { error.to_string() }
}

/// Whether a connection failed because who answered has a certificate of another authority.
#[must_use]
pub fn is_another(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref()).is_some_and(is_of_another)
}

/// The same for a request.
#[must_use]
pub fn is_request_to_another(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Rustls(error) => is_of_another(error),
        ureq::Error::Io(error) => is_another(error),
        _ => false,
    }
}

/// Authorities of all clusters have one name: where it is not unknown, its signature is wrong.
const fn is_of_another(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature))
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::{CertificateError, Error};

    use super::{ANOTHER, is_request_to_another, told};

    #[test]
    fn another_authority_is_told_from_other_failures() {
        let wrapped = |error: CertificateError| io::Error::new(io::ErrorKind::InvalidData, Error::from(error));
        assert_eq!(told(&wrapped(CertificateError::UnknownIssuer)), ANOTHER);
        assert_eq!(told(&wrapped(CertificateError::BadSignature)), ANOTHER);
        assert_ne!(told(&wrapped(CertificateError::Expired)), ANOTHER);
        assert_ne!(told(&io::ErrorKind::ConnectionRefused.into()), ANOTHER);
        assert!(is_request_to_another(&ureq::Error::Io(wrapped(CertificateError::UnknownIssuer))));
    }
}
