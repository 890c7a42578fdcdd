//! User accounts, read from `/etc/passwd` itself: the C library's look-up needs shared libraries that a static program
//! has not.

/// A user and its group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Account {
    /// The administrator.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// The account called `name` in the text of a passwd file (passwd(5)).
    #[must_use]
    pub fn find(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? != name {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Self { uid, gid })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\nkine:x:303:304:kine:/:/usr/sbin/nologin\n";

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        assert_eq!(Account::find(PASSWD, "kine"), Some(Account { uid: 303, gid: 304 }));
        assert_eq!(Account::find(PASSWD, "kin"), None);
        assert_eq!(Account::find(PASSWD, "broken"), None);
    }
}
