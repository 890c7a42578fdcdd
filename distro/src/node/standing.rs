//! What a node is to its cluster: the holder of its keys, or a member that was let in.

use std::{path::PathBuf, time::Duration};

use skerry_formats::token::JoinToken;

use super::appoint::Newcomer;
use crate::{
    config::{ConfigError, Invalid, NodeName, Raw, Settings},
    join::{self, Admission, AskError, Membership, MembershipError, PrivateKeys},
    link::TlsError,
    peers::KnownError,
    pki::{Identity, PkiError},
    supervisor::{Board, chain},
    sys::{
        accounts::Account,
        fs::{self, Access, FsError},
    },
};

/// What a node has of its cluster.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A controller has its keys.
    Owner(Identity),
    /// A worker was given certificates.
    Member(Membership),
}

impl Standing {
    /// The cluster authority's certificate, PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        match self {
            Self::Owner(identity) => &identity.ca.certificate,
            Self::Member(member) => &member.admission.authority,
        }
    }
}

/// A worker that cannot become a member, whatever it waits for.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Keys.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// What it keeps.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// A file.
    #[error(transparent)]
    File(#[from] FsError),
    /// A file's content.
    #[error("`{}` is damaged", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// What is known of other controllers.
    #[error(transparent)]
    Known(#[from] KnownError),
    /// A certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The owner wrote something else here than on the other controllers.
    #[error("`{0}` is not what it is on the cluster's other controllers")]
    Differs(&'static str),
    /// It is a member of another cluster.
    #[error("this node is part of another cluster than the one that the token is for")]
    OtherCluster,
    /// It joined under another name.
    #[error("this node joined as `{joined}`, and is now to be `{wanted}`")]
    OtherName {
        /// Then.
        joined: NodeName,
        /// Now.
        wanted: NodeName,
    },
    /// There is nothing to join with.
    #[error("this node has not joined a cluster, and there is no token")]
    NoToken,
    /// The cluster's configuration.
    #[error("the cluster's configuration cannot be read here: is this sk8s older than the controllers'?")]
    Config(#[source] ConfigError),
    /// The cluster's configuration with the node's own.
    #[error("the cluster's configuration cannot be used here: is this sk8s older than the controllers'?")]
    Invalid(#[from] Invalid),
}

impl EnrolError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::OtherCluster | Self::OtherName { .. } => Some("`sk8s reset` makes it a new node"),
            Self::Differs(_) => Some("leave it out of this node's configuration: it comes from the other controllers"),
            Self::NoToken => {
                Some("make one on a controller, `sk8s token create --role=worker`, and give it: `--token-file FILE`")
            }
            _ => None,
        }
    }
}

/// The pause after the first attempt, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The membership that a worker has, or the one that it gets by its token, however long that takes: a node that nobody
/// stands beside goes on asking, and says what it waits for.
///
/// # Errors
/// If it can never come about.
pub async fn enrol(newcomer: Newcomer<'_>, token: Option<&JoinToken>, board: &Board) -> Result<Membership, EnrolError> {
    let (paths, node) = (newcomer.paths, &newcomer.settings.node);
    if let Some(member) = Membership::load(&paths.membership())? {
        if member.node != *node {
            return Err(EnrolError::OtherName { joined: member.node, wanted: node.clone() });
        }
        match token {
            Some(token) if token.authority != member.cluster()? => return Err(EnrolError::OtherCluster),
            _ => return Ok(up_to_date(newcomer, member, token).await),
        }
    }
    let token = token.ok_or(EnrolError::NoToken)?;
    let keys = PrivateKeys::generate().map_err(MembershipError::from)?;
    let member = until_let_in(board, || join::join(token, node, &keys)).await;
    fs::create_folder(&paths.data, Access::Public, Account::ROOT).map_err(MembershipError::from)?;
    member.save(&paths.membership())?;
    tracing::info!(%node, "joined");
    Ok(member)
}

/// A member with the news of its cluster, which it asks for once: without an answer it goes on with what it has.
async fn up_to_date(newcomer: Newcomer<'_>, member: Membership, token: Option<&JoinToken>) -> Membership {
    let news = match join::news(&member, token).await {
        Ok(news) => news,
        Err(error) => {
            tracing::warn!(
                error = %chain(&error), hint = error.hint(),
                "no news of the cluster: this node starts with the configuration that it was told last"
            );
            return member;
        }
    };
    let news = take_in(&member, news, newcomer.raw);
    if let Err(error) = news.save(&newcomer.paths.membership()) {
        tracing::warn!(error = %chain(&error), "news of the cluster are not kept");
    }
    news
}

/// Takes in the news of a member's cluster, and says what of it is not taken in.
pub(super) fn take_in(member: &Membership, news: Membership, own: &Raw) -> Membership {
    let (taken, unfit) = usable(member, news, own);
    if let Some(error) = unfit {
        tracing::warn!(error = %chain(&error), "the cluster's new configuration is left out: this node keeps the one before");
    } else if taken.admission.config != member.admission.config {
        tracing::info!("the cluster's configuration changed");
    }
    taken
}

/// What a member keeps of the news: all, but a configuration that makes no node of it, as one that is written for a newer
/// sk8s may not. A node that could start before can start again.
fn usable(member: &Membership, news: Membership, own: &Raw) -> (Membership, Option<EnrolError>) {
    match shared(&news, own) {
        Ok(_) => (news, None),
        Err(error) => {
            let admission = Admission { config: member.admission.config.clone(), ..news.admission };
            (Membership { admission, ..news }, Some(error))
        }
    }
}

/// Asks until the answer is yes.
pub(super) async fn until_let_in<T>(board: &Board, ask: impl AsyncFn() -> Result<T, AskError>) -> T {
    let mut pause = PAUSES.0;
    loop {
        match ask().await {
            Ok(given) => return given,
            Err(error) => tell(board, &error),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn tell(board: &Board, error: &AskError) {
    let why = chain(error);
    let text = error.hint().map_or_else(|| why.clone(), |hint| format!("{why}; {hint}"));
    if say(board, &text) {
        tracing::warn!(%why, hint = error.hint(), "not joined yet");
    }
}

/// Says what the node waits for; whether that is news.
pub(super) fn say(board: &Board, text: &str) -> bool {
    board.send_if_modified(|status| {
        let news = status.waiting_for != text;
        if news {
            text.clone_into(&mut std::sync::Arc::make_mut(status).waiting_for);
        }
        news
    })
}

/// What a member is to be: the cluster's configuration where all nodes share it, and its own.
///
/// # Errors
/// If the cluster's cannot be understood.
pub fn shared(member: &Membership, own: &Raw) -> Result<Settings, EnrolError> {
    let cluster = Raw::parse(&member.admission.config).map_err(EnrolError::Config)?;
    let raw = cluster.over(own.clone()).map_err(EnrolError::Config)?;
    Ok(Settings::validate(&raw, member.node.as_str())?)
}

#[cfg(test)]
mod tests {
    use super::{EnrolError, shared, usable};
    use crate::{
        config::Raw,
        join::{Admission, Certificates, Membership, PrivateKeys},
    };

    fn admission(config: &str, certificate: &str, server: &str) -> Admission {
        let text = || certificate.to_owned();
        Admission {
            authority: "CA".to_owned(),
            certificates: Certificates { node: text(), server: text(), proxy: text() },
            lifetime: 100,
            config: config.to_owned(),
            servers: vec![server.parse().expect("valid")],
        }
    }

    fn member(config: &str) -> Membership {
        let keys = PrivateKeys::generate().expect("randomness");
        Membership { node: "barn".parse().expect("valid"), keys, admission: admission(config, "old", "192.0.2.1") }
    }

    fn own(text: &str) -> Raw {
        Raw::parse(text).expect("well-formed")
    }

    const SIXTY: &str = "spec: {workerProfiles: [{name: small, values: {maxPods: 60}}]}";

    #[test]
    fn news_are_taken_in_and_what_is_the_nodes_own_stays() {
        let member = member("");
        let news = member.renewed(admission(SIXTY, "new", "192.0.2.2"));
        let own = own("spec: {node: {profile: small}}");
        let (taken, unfit) = usable(&member, news, &own);
        assert!(unfit.is_none());
        assert_eq!((taken.keys.clone(), taken.node.clone()), (member.keys, member.node));
        assert_eq!((taken.admission.config.as_str(), taken.admission.certificates.node.as_str()), (SIXTY, "new"));
        let servers: Vec<&str> = taken.admission.servers.iter().map(skerry_formats::token::Server::as_str).collect();
        assert_eq!(servers, ["192.0.2.1", "192.0.2.2"], "those known before stay known");
        assert!(shared(&taken, &own).is_ok());
    }

    #[test]
    fn a_configuration_that_makes_no_node_leaves_the_one_before() {
        let member = member(SIXTY);
        let own = own("spec: {node: {profile: small}}");
        for (config, written_for_another) in [("spec: {tides: high}", true), ("spec: {workerProfiles: []}", false)] {
            let (taken, unfit) = usable(&member, member.renewed(admission(config, "new", "192.0.2.1")), &own);
            assert_eq!(matches!(unfit, Some(EnrolError::Config(_))), written_for_another, "{config}");
            assert!(unfit.is_some(), "{config}");
            assert_eq!((taken.admission.config.as_str(), taken.admission.certificates.node.as_str()), (SIXTY, "new"));
            assert!(shared(&taken, &own).is_ok(), "it starts as before");
        }
    }
}
