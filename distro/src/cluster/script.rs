//! What is said to a host's shell. Every word that is not ours is quoted. Pure.

use skerry_formats::{digest::Digest, duty::Duty, role::Role, token::Server};

use super::{CONFIG, PROGRAM, TOKEN};
use crate::{
    quote,
    service::{Init, ServiceRole},
};

/// Said before everything.
const HEAD: &str = "set -eu; umask 022; export LC_ALL=C PATH=\"$PATH:/usr/sbin:/usr/bin:/sbin:/bin\"\n";

/// What is on a host: below each `== NAME`, lines with a blank before them.
const OBSERVE: &str = r#"
show() { sed 's/^/ /' "$1" 2>/dev/null || :; }
digest() { if [ -e "$1" ]; then sha256sum < "$1" | cut -d' ' -f1 | sed 's/^/ /'; fi; }
echo '== arch'; uname -m | sed 's/^/ /'
if [ -d /run/systemd/system ]; then echo '== systemd'; elif [ -d /run/openrc ]; then echo '== openrc'; fi
if [ -d /run/skerry ]; then echo '== image'; fi
echo '== binary'; digest "$program"
for file in /usr/local/bin/.sk8s-*; do
  if [ -f "$file" ]; then echo '== staged'; printf ' %s\n' "${file#/usr/local/bin/.sk8s-}"; fi
done
for role in controller worker; do
  echo "== systemd $role"; show "/etc/systemd/system/sk8s$role.service"
  echo "== openrc $role"; show "/etc/init.d/sk8s$role"
  if systemctl is-active --quiet "sk8s$role" 2>/dev/null || rc-service "sk8s$role" status >/dev/null 2>&1; then
    echo "== active $role"
  fi
done
process=
for exe in /proc/[0-9]*/exe; do
  case "$(readlink "$exe" 2>/dev/null)" in
    "$program") stale= ;;
    "$program (deleted)") stale=stale ;;
    *) continue ;;
  esac
  # Not one in a container.
  if [ "$(readlink "${exe%exe}ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]; then continue; fi
  if [ "$stale" ]; then echo '== stale'; fi
  words=$(tr '\0' '\n' 2>/dev/null < "${exe%exe}cmdline") || continue
  case "$process $(printf '%s\n' "$words" | sed -n 2p)" in
    ' controller' | ' worker') process=found; echo '== process'; printf '%s\n' "$words" | sed 's/^/ /' ;;
  esac
done
echo '== config'; digest "$config"
echo '== mark'; head -n 1 "$config" 2>/dev/null | sed 's/^/ /' || :
echo '== started'; show /run/sk8s/config.sha256
if [ -e "$token" ]; then echo '== token'; fi
if [ -d /var/lib/sk8s ]; then echo '== data'; fi
if [ -e /var/lib/sk8s/db/state.db ]; then echo '== kine'; fi
if [ -d /var/lib/sk8s/etcd/member ]; then echo '== etcd'; fi
echo '== authority'; show /var/lib/sk8s/pki/ca.crt
echo '== membership'
sed -n 's/^ *"authority": \("[^"]*"\),\{0,1\}$/ \1/p' /var/lib/sk8s/membership.json 2>/dev/null | head -n 1 || :
echo '== status'
if [ -x "$program" ]; then "$program" status -o json 2>/dev/null | tr -d '\n' | sed 's/^/ /' || :; fi
"#;

/// Says what is on a host.
pub fn observe() -> String {
    let places = [("program", PROGRAM), ("config", CONFIG), ("token", TOKEN)];
    let set: String = places.iter().map(|(name, path)| format!("{name}={}\n", quote::shell_word(path))).collect();
    format!("{HEAD}{set}{}", OBSERVE.trim_start())
}

fn staged(digest: Digest) -> String {
    quote::shell_word(&format!("/usr/local/bin/.sk8s-{digest}"))
}

/// Ends the script unless all of a draft arrived. A connection that breaks ends what the script reads as if that were all.
fn whole(digest: Digest) -> String {
    format!(
        "found=$(sha256sum < \"$draft\" | cut -d' ' -f1)\n\
         if [ \"$found\" != {digest} ]; then echo 'it arrived damaged, or the connection broke' >&2; exit 1; fi\n"
    )
}

/// Takes in a program, and gives it the name of its digest only if it has it.
pub fn upload(digest: Digest) -> String {
    format!(
        "{HEAD}draft=/usr/local/bin/.sk8s-draft.$$; trap 'rm -f \"$draft\"' EXIT\n\
         mkdir -p /usr/local/bin; rm -f /usr/local/bin/.sk8s-draft.*; cat > \"$draft\"\n\
         {}chmod 755 \"$draft\"; sync \"$draft\" 2>/dev/null || sync; mv -f \"$draft\" {}\n",
        whole(digest),
        staged(digest)
    )
}

/// Puts what was uploaded in its place, in one step.
pub fn place(digest: Digest) -> String {
    format!("{HEAD}mv -f {} {}; rm -f /usr/local/bin/.sk8s-*\n", staged(digest), sk8s())
}

fn sk8s() -> String {
    quote::shell_word(PROGRAM)
}

/// Has sk8s judge the machine.
pub fn check(duty: Duty) -> String {
    let purpose = match duty {
        Duty::Controller => " --controller",
        Duty::Worker => " --worker",
        Duty::ControllerWorker | Duty::Single => "",
    };
    // Exit code 1 says that something is amiss; what it is stands in the answer.
    format!("{HEAD}{} sysinfo -o json{purpose} || [ $? = 1 ]\n", sk8s())
}

/// Writes what it reads, which is to be `text`, to a file of the folder of configuration, for root alone, in one step.
pub fn write(path: &str, text: &str) -> String {
    let path = quote::shell_word(path);
    format!(
        "{HEAD}draft={path}.new; trap 'rm -f \"$draft\"' EXIT\n\
         mkdir -p /etc/sk8s; umask 077; rm -f \"$draft\"; cat > \"$draft\"\n\
         {}mv -f \"$draft\" {path}\n",
        whole(Digest::of(text.as_bytes()))
    )
}

/// Writes the service without starting it. What its owner set in its environment stays.
pub fn install(role: ServiceRole, words: &[String]) -> String {
    let environment = quote::shell_word(&format!("/etc/sk8s/{role}.env"));
    format!(
        "{HEAD}env={environment}; if [ -e \"$env\" ]; then cp -p \"$env\" \"$env.kept\"; fi\n\
         {} install {} --force >/dev/null\n\
         if [ -e \"$env.kept\" ]; then mv -f \"$env.kept\" \"$env\"; fi\n",
        sk8s(),
        quote::shell(words)
    )
}

/// Removes the token of a host that has joined.
pub fn forget_token() -> String {
    format!("{HEAD}rm -f {}\n", quote::shell_word(TOKEN))
}

/// Removes the token of a host that has not joined. The service of one that has reads it at each start, until it is written
/// again without.
pub fn take_token_back() -> String {
    format!(
        "{HEAD}[ -e /var/lib/sk8s/membership.json ] || [ -e /var/lib/sk8s/pki/ca.crt ] || rm -f {}\n",
        quote::shell_word(TOKEN)
    )
}

/// Starts the service.
pub fn start() -> String {
    format!("{HEAD}{} start >/dev/null\n", sk8s())
}

/// Stops the service, and starts it again.
pub fn restart() -> String {
    format!("{HEAD}{0} stop >/dev/null; {0} start >/dev/null\n", sk8s())
}

/// The status as JSON; systemd's substate of the service (`failed`, `auto-restart`, `running` …) if it does not answer.
pub fn status(role: ServiceRole) -> String {
    format!(
        "{HEAD}{} status -o json 2>/dev/null && exit 0\n\
         systemctl show --property=SubState --value {role} 2>/dev/null || :\n",
        sk8s()
    )
}

/// The last line of the service's log.
pub fn log(role: ServiceRole) -> String {
    format!(
        "{HEAD}journalctl --unit {role} --lines 20 --no-pager --output cat 2>/dev/null | grep -v '^$' || tail -n 20 /var/log/{role}.log\n"
    )
}

/// Makes a join token on a controller, once its API answers.
pub fn token(role: Role, servers: &[Server]) -> String {
    let mut words = vec![PROGRAM.to_owned(), "token".to_owned(), "create".to_owned()];
    words.extend([format!("--role={role}"), "--expiry=1h".to_owned(), "--wait".to_owned()]);
    words.extend(servers.iter().map(|server| format!("--server={server}")));
    format!("{HEAD}timeout 300 {}\n", quote::shell(&words))
}

/// Ends a join token.
pub fn end_token(id: &str) -> String {
    format!("{HEAD}{} token invalidate {} >/dev/null\n", sk8s(), quote::shell_word(id))
}

/// The administrator's kubeconfig.
pub fn kubeconfig(server: &str) -> String {
    let config = quote::shell_word(CONFIG);
    let words = format!("{} kubeconfig admin --server {}", sk8s(), quote::shell_word(server));
    format!("{HEAD}if [ -e {config} ]; then exec {words} --config {config}; else exec {words}; fi\n")
}

/// The names of nodes, and of members of etcd, as a controller knows them: lines `node NAME` and an array of members. Who has a
/// member of its own must name all: silence is not the answer that there are none.
pub fn company() -> String {
    format!(
        "{HEAD}{0} kubectl get nodes -o 'jsonpath={{range .items[*]}}node {{.metadata.name}}{{\"\\n\"}}{{end}}'\n\
         if [ -d /var/lib/sk8s/etcd/member ]; then {0} etcd member-list -o json; fi\n",
        sk8s()
    )
}

/// Deletes a node that is gone.
pub fn delete_node(name: &str) -> String {
    format!("{HEAD}{} kubectl delete node {} --ignore-not-found >/dev/null\n", sk8s(), quote::shell_word(name))
}

/// Takes a controller out of etcd.
pub fn leave(name: &str) -> String {
    format!("{HEAD}{} etcd leave {} >/dev/null\n", sk8s(), quote::shell_word(name))
}

/// Removes all that sk8s has made there, and sk8s itself. The owner's own configuration stays.
pub fn wipe(mark: &str) -> String {
    let (config, mark) = (quote::shell_word(CONFIG), quote::shell_word(mark));
    // What does not stop, a reset refuses to remove. Without a program nothing is removed: that is no success.
    format!(
        "{HEAD}if [ -e {0} ]; then {0} stop >/dev/null 2>&1 || :; {0} reset\n\
         elif [ -d /var/lib/sk8s ]; then echo 'there is no {PROGRAM} to remove what it has made' >&2; exit 1; fi\n\
         if [ \"$(head -n 1 {config} 2>/dev/null || :)\" = {mark} ]; then rm -f {config}; fi\n\
         rm -f {1} {0} /usr/local/bin/.sk8s-*; rmdir /etc/sk8s 2>/dev/null || :\n",
        sk8s(),
        quote::shell_word(TOKEN)
    )
}

/// The section of a service's text in what a host said.
pub fn section(init: Init, role: ServiceRole) -> String {
    let init = match init {
        Init::Systemd => "systemd",
        Init::OpenRc => "openrc",
    };
    format!("{init} {}", role.verb())
}
