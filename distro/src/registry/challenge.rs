//! What a registry asks for when it does not let us in (RFC 9110, 11.6.1; the distribution project's `auth/token.md`).

/// How to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With user and password.
    Basic,
    /// With a token that another server gives.
    Bearer {
        /// That server's URL.
        realm: String,
        /// The registry's name there.
        service: Option<String>,
        /// What the token shall be good for.
        scope: Option<String>,
    },
}

const LONGEST: usize = 4096;

impl Challenge {
    /// The best of what a `WWW-Authenticate` header offers; `None` if there is nothing that is known here.
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > LONGEST {
            return None;
        }
        let all = http_auth::parse_challenges(header).ok()?;
        let bearer =
            all.iter().filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer")).find_map(|challenge| {
                let parameter = |wanted: &str| {
                    let found = challenge.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                    found.map(|(_, value)| value.to_unescaped())
                };
                Some(Self::Bearer {
                    realm: parameter("realm")?,
                    service: parameter("service"),
                    scope: parameter("scope"),
                })
            });
        let basic =
            || all.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case("basic")).then_some(Self::Basic);
        bearer.or_else(basic)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Challenge;

    #[test]
    fn a_token_is_better_than_a_password() {
        let header =
            r#"Basic realm="x", Bearer realm="https://a.example/token",service="r",scope="repository:a/b:pull""#;
        let wanted = Challenge::Bearer {
            realm: "https://a.example/token".to_owned(),
            service: Some("r".to_owned()),
            scope: Some("repository:a/b:pull".to_owned()),
        };
        assert_eq!(Challenge::parse(header), Some(wanted));
        assert_eq!(Challenge::parse("basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Bearer service=\"x\""), None);
        assert_eq!(Challenge::parse("Negotiate"), None);
    }

    proptest! {
        #[test]
        fn any_header_is_understood_or_not(header in ".{0,80}") {
            let _ = Challenge::parse(&header);
        }
    }
}
