//! `sk8s etcd`.

use std::fmt::Write as _;

use clap::Subcommand;

use super::{own_node::OwnNode, token, verbs::CliError};
use crate::{
    node::council,
    paths::Paths,
    peers::{self, Member, MemberId, Removal},
    sys::machine,
};

/// What to do with the members of the cluster's own etcd.
#[derive(Debug, Subcommand)]
pub enum EtcdVerb {
    /// List the controllers' members
    MemberList {
        /// As text for people, or as JSON
        #[arg(long, short, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
        output: String,
    },
    /// Take a controller out of etcd for good: this one, or one that is gone
    Leave {
        /// Its name, or its address [default: this node]
        #[arg(value_name = "NODE|ADDRESS")]
        whom: Option<String>,
    },
}

/// Does it; what comes back is to be printed.
pub(super) fn obey(verb: EtcdVerb, node: &OwnNode) -> Result<String, CliError> {
    let (identity, settings) = token::identity(node)?;
    if identity.etcd_ca.is_none() {
        return Err(CliError::NoEtcd);
    }
    let etcd = council::client(&identity)?;
    let members = etcd.members()?;
    match verb {
        EtcdVerb::MemberList { output } => {
            let leader = etcd.leader()?;
            Ok(if output == "json" { json(&members, leader) } else { table(&members, leader) })
        }
        EtcdVerb::Leave { whom } => {
            let seen = machine::observe(settings.node_address.as_ref());
            let own = seen.map(|machine| settings.peer_address().unwrap_or(machine.address));
            let named = whom.clone().unwrap_or_else(|| settings.node.to_string());
            match peers::remove(&members, &named) {
                Removal::Absent => Err(CliError::NoMember(named)),
                Removal::Last => Err(CliError::LastMember(named)),
                Removal::Member(id) => {
                    peers::dismiss(&etcd, &members, id)?;
                    let ours = members.iter().any(|member| {
                        member.id == id && own.is_some_and(|own| member.urls.iter().any(|url| *url == peers::url(own)))
                    });
                    let next = if ours { leave_behind(&node.paths()) } else { String::new() };
                    Ok(format!("{named} is no member of etcd any more\n{next}"))
                }
            }
        }
    }
}

fn leave_behind(paths: &Paths) -> String {
    format!(
        "next: `sk8s stop` and `sk8s reset` on this node; its copy of the data is in `{}`\n",
        paths.etcd().display()
    )
}

fn json(members: &[Member], leader: MemberId) -> String {
    let all: Vec<_> = members
        .iter()
        .map(|member| {
            serde_json::json!({
                "id": member.id.to_string(),
                "name": member.name,
                "urls": member.urls,
                "learner": member.learner,
                "leader": member.id == leader,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(all))
}

fn table(members: &[Member], leader: MemberId) -> String {
    let mut text = format!("{:<18}{:<24}{:<34}STATE\n", "ID", "NAME", "URL");
    for member in members {
        let state = match (member.started(), member.learner, member.id == leader) {
            (false, ..) => "expected",
            (_, true, _) => "learner",
            (.., true) => "leader",
            _ => "follower",
        };
        let name = if member.started() { &member.name } else { "-" };
        let _infallible = writeln!(text, "{:<18}{name:<24}{:<34}{state}", member.id.to_string(), member.urls.join(","));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{json, table};
    use crate::peers::{Member, MemberId};

    #[test]
    fn the_state_of_a_member_is_one_word() {
        let member = |id, name: &str, learner| Member {
            id: MemberId(id),
            name: name.to_owned(),
            urls: vec![format!("https://192.0.2.{id}:2380")],
            learner,
        };
        let members =
            [member(1, "barn", false), member(2, "mill", false), member(3, "shed", true), member(4, "", true)];
        let text = table(&members, MemberId(2));
        let states: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(states, ["follower", "leader", "learner", "expected"]);
        let value: serde_json::Value = serde_json::from_str(&json(&members, MemberId(2))).expect("JSON");
        assert_eq!(value[1]["leader"], true);
    }
}
