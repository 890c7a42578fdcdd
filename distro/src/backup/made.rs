//! The names of backups, which tell when and where each was made, and which of them have had their time.

use std::{fmt, str::FromStr};

use crate::{config::NodeName, pki::UnixTime};

/// `sk8s_backup_2026-11-21T13-45-00Z_barn.tar.zst`: sorted by name is sorted by time. A second one of the same second is
/// `…Z_barn_2.tar.zst`. Names from before nodes were in them are known too: `…Z.tar.zst`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupName {
    at: UnixTime,
    node: Option<NodeName>,
    /// From 1, which is not written.
    number: u32,
}

const HEAD: &str = "sk8s_backup_";
const TAIL: &str = ".tar.zst";

/// A file of another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a backup")]
pub struct NoBackup;

impl BackupName {
    /// The name of a backup that a node makes now, in a folder with these names. A clock that was never set is taken for the
    /// earliest that it can rightly show, so that many backups may be of one moment.
    #[must_use]
    pub fn made(now: UnixTime, node: &NodeName, names: &[String]) -> Self {
        let at = now.floored().to_date().unix_timestamp();
        let first = Self { at: UnixTime(at.unsigned_abs()), node: Some(node.clone()), number: 1 };
        let there = names.iter().filter_map(|name| name.parse::<Self>().ok());
        let numbers = there.filter(|name| (name.at, &name.node) == (first.at, &first.node)).map(|name| name.number);
        Self { number: numbers.max().map_or(1, |number| number.saturating_add(1)), ..first }
    }

    /// When it was made.
    #[must_use]
    pub const fn at(&self) -> UnixTime {
        self.at
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.at.to_date();
        let (hour, minute, second) = date.to_hms();
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        write!(f, "{HEAD}{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z")?;
        if let Some(node) = &self.node {
            write!(f, "_{node}")?;
        }
        if self.number > 1 {
            write!(f, "_{}", self.number)?;
        }
        f.write_str(TAIL)
    }
}

impl FromStr for BackupName {
    type Err = NoBackup;

    fn from_str(text: &str) -> Result<Self, NoBackup> {
        let middle = text.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix(TAIL)).ok_or(NoBackup)?;
        let mut parts = middle.split('_');
        let format = time::macros::format_description!("[year]-[month]-[day]T[hour]-[minute]-[second]Z");
        let date = parts.next().unwrap_or_default();
        let date = time::PrimitiveDateTime::parse(date, format).map_err(|_| NoBackup)?;
        let seconds = u64::try_from(date.assume_utc().unix_timestamp()).map_err(|_| NoBackup)?;
        let node = parts.next().map(str::parse).transpose().map_err(|_| NoBackup)?;
        let number = parts.next().map_or(Ok(1), str::parse).map_err(|_| NoBackup)?;
        let name = Self { at: UnixTime(seconds), node, number };
        // Ours are written in one way alone.
        if name.to_string() == text { Ok(name) } else { Err(NoBackup) }
    }
}

/// Whose backup one without a node in its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nameless {
    /// The node's that looks: the folder is its own.
    Ours,
    /// Nobody knows: other nodes may write there too.
    Unknown,
}

/// The backups that a node may let go.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    /// The node.
    pub node: &'a NodeName,
    /// What is so of names without a node.
    pub nameless: Nameless,
}

impl Ours<'_> {
    /// The node's own backups among the names in a folder.
    pub fn among<'n>(&self, names: &'n [String]) -> impl Iterator<Item = (BackupName, &'n String)> {
        let own = |name: &BackupName| match &name.node {
            Some(node) => node == self.node,
            None => self.nameless == Nameless::Ours,
        };
        names.iter().filter_map(move |text| Some((text.parse().ok().filter(own)?, text)))
    }
}

/// How many backups stay in a folder: the one that was just made, and at most so many with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep(pub usize);

/// The names, of all in a folder, to remove after a backup was made, so that no more stay than are to be kept. What is of a
/// time that is still to come was made by a wrong clock, or is seen by one, and goes before the oldest; what was just made
/// stays in any case. What is no backup of ours is nobody's to remove.
#[must_use]
pub fn expired<'n>(names: &'n [String], made: &str, (ours, keep): (Ours<'_>, Keep), now: UnixTime) -> Vec<&'n String> {
    let mut others: Vec<(BackupName, &String)> = ours.among(names).filter(|(_, name)| *name != made).collect();
    others.sort_by_key(|(name, _)| (name.at <= now.floored(), name.clone()));
    let count = (others.len() + 1).saturating_sub(keep.0.max(1));
    others.into_iter().take(count).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BackupName, Keep, Nameless, Ours, expired};
    use crate::{config::NodeName, pki::UnixTime};

    fn barn() -> NodeName {
        "barn".parse().expect("a name")
    }

    fn made(seconds: u64) -> BackupName {
        BackupName::made(UnixTime(seconds), &barn(), &[])
    }

    const NOW: UnixTime = UnixTime(1_795_269_900);

    #[test]
    fn a_name_tells_its_time_and_its_node() {
        let name = made(NOW.0).to_string();
        assert_eq!(name, "sk8s_backup_2026-11-21T14-05-00Z_barn.tar.zst");
        assert_eq!(name.parse::<BackupName>().expect("ours").at(), NOW);
        let old = "sk8s_backup_2026-11-21T14-05-00Z.tar.zst";
        assert_eq!(old.parse::<BackupName>().expect("ours").at(), NOW, "from before nodes were named");
    }

    #[test]
    fn a_clock_in_1970_makes_a_name_all_the_same_and_each_time_another() {
        let mut names = Vec::new();
        for _ in 0..3 {
            names.push(BackupName::made(UnixTime(5), &barn(), &names).to_string());
        }
        let name = |end: &str| format!("sk8s_backup_2025-01-01T00-00-00Z_{end}.tar.zst");
        assert_eq!(names, [name("barn"), name("barn_2"), name("barn_3")]);
        assert_eq!(
            BackupName::made(UnixTime(5), &barn(), &names[2..]).to_string(),
            name("barn_4"),
            "later than what is there"
        );
        let last = BackupName::made(UnixTime(u64::MAX), &barn(), &[]).to_string();
        assert_eq!(
            BackupName::made(UnixTime(u64::MAX), &barn(), std::slice::from_ref(&last)).to_string(),
            last.replace("barn", "barn_2")
        );
        let other = BackupName::made(UnixTime(5), &"mill".parse().expect("a name"), &names);
        assert_eq!(other.to_string(), name("mill"));
    }

    #[test]
    fn a_name_is_written_in_one_way() {
        for end in ["barn_1", "barn_02", "barn_+2", "barn_2_3", "Barn", "", "barn_"] {
            let text = format!("sk8s_backup_2026-11-21T14-05-00Z_{end}.tar.zst");
            assert!(text.parse::<BackupName>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_oldest_go_and_strangers_stay() {
        let names = [
            "sk8s_backup_2026-01-02T00-00-00Z_barn.tar.zst",
            "mine.tar.zst",
            "sk8s_backup_2026-01-01T00-00-00Z_barn.tar.zst",
            "sk8s_backup_2025-01-01T00-00-00Z_mill.tar.zst",
            "sk8s_backup_2025-01-01T00-00-00Z.tar.zst",
        ]
        .map(str::to_owned);
        let barn = barn();
        let gone = |keep, nameless| expired(&names, &names[0], (Ours { node: &barn, nameless }, Keep(keep)), NOW);
        assert_eq!(gone(1, Nameless::Unknown), [&names[2]], "others may write there too");
        assert_eq!(gone(1, Nameless::Ours), [&names[4], &names[2]]);
        assert_eq!(gone(2, Nameless::Ours), [&names[4]]);
        assert!(gone(3, Nameless::Ours).is_empty());
    }

    #[test]
    fn what_was_just_made_stays_where_others_are_of_later_days() {
        let names =
            [made(NOW.0 + 9_000_000), made(NOW.0 + 8_000_000), made(NOW.0), made(NOW.0 - 5)].map(|n| n.to_string());
        let barn = barn();
        let gone =
            |keep| expired(&names, &names[2], (Ours { node: &barn, nameless: Nameless::Unknown }, Keep(keep)), NOW);
        assert_eq!(gone(3), [&names[1]]);
        assert_eq!(gone(2), [&names[1], &names[0]], "those that a wrong clock made go before older ones");
        assert_eq!(gone(1), [&names[1], &names[0], &names[3]]);
    }

    fn name() -> impl Strategy<Value = BackupName> {
        let node = prop_oneof![Just(Some("barn")), Just(Some("mill")), Just(None)];
        // Before the floor, before, at and after now.
        let at = prop_oneof![Just(5), NOW.0 - 1000..NOW.0 + 1000, Just(NOW.0)];
        (at, node, 1_u32..4).prop_map(|(at, node, number)| BackupName {
            at: UnixTime(at).floored(),
            node: node.map(|node: &str| node.parse().expect("a name")),
            number: if node.is_some() { number } else { 1 },
        })
    }

    proptest! {
        #[test]
        fn names_sort_as_their_times(a in 0_u64..200_000_000_000, b in 0_u64..200_000_000_000) {
            let (a, b) = (made(a), made(b));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
            prop_assert_eq!(a.to_string().parse::<BackupName>(), Ok(a));
        }

        #[test]
        fn a_new_name_is_nobodys_and_the_last_of_its_moment(names in prop::collection::vec(name(), 0..12), now in 0..NOW.0) {
            let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
            let new = BackupName::made(UnixTime(now), &barn(), &texts);
            prop_assert!(!texts.contains(&new.to_string()));
            prop_assert_eq!(new.to_string().parse::<BackupName>(), Ok(new.clone()));
            prop_assert!(names.iter().all(|name| name.at != new.at || name.node != new.node || *name < new));
        }

        /// Whatever the clocks said: what was just made stays, as many as are kept do, nobody else's goes, and nothing of the
        /// past goes while something of a time to come is there.
        #[test]
        fn the_one_just_made_is_never_let_go(
            names in prop::collection::btree_set(name(), 0..12),
            now in prop_oneof![Just(5), NOW.0 - 1000..NOW.0 + 1000],
            keep in 1_usize..6,
            nameless in prop_oneof![Just(Nameless::Ours), Just(Nameless::Unknown)],
        ) {
            let (node, now) = (barn(), UnixTime(now));
            let ours = Ours { node: &node, nameless };
            let mut texts: Vec<String> = names.iter().map(ToString::to_string).collect();
            texts.push("mine.tar.zst".to_owned());
            let made = BackupName::made(now, &node, &texts).to_string();
            texts.push(made.clone());
            let gone = expired(&texts, &made, (ours, Keep(keep)), now);
            prop_assert!(!gone.contains(&&made));
            let own: Vec<&String> = ours.among(&texts).map(|(_, name)| name).collect();
            prop_assert!(gone.iter().all(|name| own.contains(name)));
            prop_assert_eq!(own.len() - gone.len(), own.len().min(keep));
            let is_to_come = |name: &&String| name.parse::<BackupName>().is_ok_and(|name| name.at() > now.floored());
            let stays = own.iter().any(|name| !gone.contains(name) && is_to_come(name));
            prop_assert!(!stays || gone.iter().all(is_to_come));
        }

        #[test]
        fn any_text_is_a_name_or_is_not(text in "\\PC{0,60}") {
            let _ = text.parse::<BackupName>();
        }
    }
}
