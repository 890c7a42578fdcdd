//! One request to one server: who we are, where it is redirected to, and what came back.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use ureq::{
    Agent, Body,
    http::{Response, Uri},
};

use super::{challenge::Challenge, endpoint::Scheme, error::Cause, hosts::Host, logins::Login};

/// Redirects that are followed for one answer.
const REDIRECTS: u32 = 5;
/// Bytes of the longest token.
const TOKEN: u64 = 1 << 20;
/// Bytes that are read of what a server says when it refuses.
const WORDS: u64 = 16 << 10;

/// A server of a registry.
pub(super) struct Server {
    pub host: Host,
    pub agent: Agent,
    pub login: Option<Login>,
    /// The registry that it stands for, where it is another.
    pub mirrored: Option<String>,
    /// What it took for each repository.
    pub admitted: Mutex<BTreeMap<String, String>>,
}

/// What is asked for.
pub(super) struct Ask<'a> {
    pub repository: &'a str,
    /// Path below the repository.
    pub path: String,
    /// Media types, where there is a choice.
    pub accept: Option<&'a str>,
    /// Where to begin, in bytes.
    pub from: u64,
}

/// The token goes by either name, or by both.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Server {
    /// The answer, if it is yes.
    pub fn get(&self, ask: &Ask<'_>) -> Result<Response<Body>, Cause> {
        let mut answer = self.send(ask)?;
        if answer.status() == 401
            && let Some(authorization) = self.admit(ask.repository, &answer)?
        {
            let mut known = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(ask.repository.to_owned(), authorization);
            drop(known);
            answer = self.send(ask)?;
        }
        if answer.status().is_success() { Ok(answer) } else { Err(self.refusal(&mut answer)) }
    }

    fn url(&self, ask: &Ask<'_>) -> String {
        let mut url = format!("{}{}/{}/{}", self.host.at.url(), self.host.at.path, ask.repository, ask.path);
        if let Some(registry) = &self.mirrored {
            url.push_str("?ns=");
            url.push_str(registry);
        }
        url
    }

    /// Asks, and follows where the answer leads. What is between us and this server is not told to others.
    fn send(&self, ask: &Ask<'_>) -> Result<Response<Body>, Cause> {
        let known = self.admitted.lock().unwrap_or_else(PoisonError::into_inner).get(ask.repository).cloned();
        let mut target = self.url(ask);
        for _ in 0..=REDIRECTS {
            let mut request = self.agent.get(&target);
            if target.starts_with(&format!("{}/", self.host.at.url())) {
                for (name, value) in self.fields(known.as_deref()) {
                    request = request.header(name, value);
                }
            }
            if let Some(accept) = ask.accept {
                request = request.header("Accept", accept);
            }
            if ask.from > 0 {
                request = request.header("Range", format!("bytes={}-", ask.from));
            }
            let answer = request.call().map_err(|source| self.unreachable(source))?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            target = self.next(&target, to)?;
        }
        Err(Cause::Astray(target))
    }

    /// Our headers: the owner's, and where those have no credentials, what the server took before.
    fn fields<'a>(&'a self, known: Option<&'a str>) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = &self.host.headers;
        let own = all.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let known = known.filter(|_| !own).map(|value| ("Authorization", value));
        all.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(known)
    }

    /// Where a redirect leads; one that is spoken to over TLS leads nowhere else.
    fn next(&self, from: &str, to: &str) -> Result<String, Cause> {
        let astray = || Cause::Astray(to.chars().take(200).collect());
        let here: Uri = from.parse().map_err(|_| astray())?;
        let origin = || Some(format!("{}://{}", here.scheme_str()?, here.authority()?));
        let target = if to.starts_with('/') && !to.starts_with("//") {
            origin().ok_or_else(astray)? + to
        } else {
            to.to_owned()
        };
        if self.may_go(&target) { Ok(target) } else { Err(astray()) }
    }

    fn may_go(&self, target: &str) -> bool {
        let scheme = target.parse::<Uri>().ok().and_then(|uri| uri.scheme_str().map(ToOwned::to_owned));
        match scheme.as_deref() {
            Some("https") => true,
            Some("http") => self.host.at.scheme == Scheme::Http,
            _ => false,
        }
    }

    /// What will let us in, if there is anything to try.
    fn admit(&self, repository: &str, answer: &Response<Body>) -> Result<Option<String>, Cause> {
        let asked = answer.headers().get_all("www-authenticate");
        let challenges = asked.iter().filter_map(|value| value.to_str().ok()).filter_map(Challenge::parse);
        let best = challenges.max_by_key(|challenge| *challenge != Challenge::Basic);
        let Some(challenge) = best else { return Ok(None) };
        match challenge {
            Challenge::Basic => Ok(self.login.as_ref().and_then(Login::basic)),
            Challenge::Bearer { realm, service, scope } => {
                let scope = scope.unwrap_or_else(|| format!("repository:{repository}:pull"));
                self.token(&realm, &service.unwrap_or_default(), &scope).map(Some)
            }
        }
    }

    /// Asks for a token: with what the owner has, or as nobody.
    fn token(&self, realm: &str, service: &str, scope: &str) -> Result<String, Cause> {
        if !self.may_go(realm) {
            return Err(Cause::Astray(realm.to_owned()));
        }
        let asked = match &self.login {
            Some(Login::Identity(token)) => self.agent.post(realm).send_form([
                ("grant_type", "refresh_token"),
                ("client_id", "sk8s"),
                ("service", service),
                ("scope", scope),
                ("refresh_token", token),
            ]),
            other => {
                let mut request = self.agent.get(realm).query("service", service).query("scope", scope);
                if let Some(basic) = other.as_ref().and_then(Login::basic) {
                    request = request.header("Authorization", basic);
                }
                request.call()
            }
        };
        let mut answer = asked.map_err(|source| Cause::Unreachable { server: realm.to_owned(), source })?;
        if !answer.status().is_success() {
            return Err(refusal(realm, &mut answer));
        }
        let text = answer.body_mut().with_config().limit(TOKEN).read_to_string().map_err(Cause::Lost)?;
        let failed = |source| Cause::NoToken { server: realm.to_owned(), source };
        let token: Token = serde_json::from_str(&text).map_err(failed)?;
        let token = token.token.or(token.access_token);
        let missing = || failed(serde::de::Error::missing_field("token"));
        token.map(|token| format!("Bearer {token}")).ok_or_else(missing)
    }

    fn unreachable(&self, source: ureq::Error) -> Cause {
        Cause::Unreachable { server: self.host.at.url(), source }
    }

    fn refusal(&self, answer: &mut Response<Body>) -> Cause {
        refusal(&self.host.at.url(), answer)
    }
}

fn refusal(server: &str, answer: &mut Response<Body>) -> Cause {
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(WORDS).lossy_utf8(true).read_to_string().unwrap_or_default();
    Cause::Refused { server: server.to_owned(), status, message: words(&text) }
}

/// The server's own words, where they are in the usual form (distribution-spec, "Error Codes").
fn words(text: &str) -> String {
    let object: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let first = object.as_ref().map(|object| &object["errors"][0]);
    let part = |name: &str| first.and_then(|error| error[name].as_str()).unwrap_or_default();
    let own = format!("{} {}", part("code"), part("message"));
    let whole = if own.trim().is_empty() { text.lines().next().unwrap_or_default().trim() } else { own.trim() };
    whole.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let text = r#"{"errors":[{"code":"DENIED","message":"no\u001b pull","detail":{}}]}"#;
        assert_eq!(words(text), "DENIED no pull");
        assert_eq!(words("<html>\nx"), "<html>");
        assert_eq!(words(""), "");
    }
}
