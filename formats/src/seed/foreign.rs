//! Keys that other systems' seeds have, and what to do here instead. Silently ignoring one would leave its writer with a
//! node that is not what was asked for.

const IMAGE: &str = "the system is an image; put it into a recipe or an overlay and build";
const COMMANDS: &str = "no commands run on a node; write files with `write_files`, or run a pod";
const LOGINS: &str = "nobody logs in; the `debug` profile lets root in with `ssh_authorized_keys`";
const DISKS: &str = "partitions and `/var` take care of themselves; leave it out";
const BUILT_IN: &str = "a node does so by itself; leave it out";

/// Keys of cloud-init's modules, each with what to do instead.
pub const KEYS: [(&str, &str); 62] = [
    ("allow_public_ssh_keys", LOGINS),
    ("ansible", COMMANDS),
    ("apt", IMAGE),
    ("apt_pipelining", IMAGE),
    ("autoinstall", IMAGE),
    ("bootcmd", COMMANDS),
    ("byobu_by_default", LOGINS),
    ("ca_certs", "write it with `write_files` where your workload reads it"),
    ("ca-certs", "write it with `write_files` where your workload reads it"),
    ("chef", COMMANDS),
    ("chpasswd", LOGINS),
    ("create_hostname_file", BUILT_IN),
    ("device_aliases", DISKS),
    ("disable_ec2_metadata", BUILT_IN),
    ("disable_root", LOGINS),
    ("disk_setup", DISKS),
    ("drivers", IMAGE),
    ("fan", "use `skerry.network`"),
    ("final_message", "the console says when a node is ready; leave it out"),
    ("fs_setup", DISKS),
    ("groups", LOGINS),
    ("growpart", DISKS),
    ("keyboard", LOGINS),
    ("landscape", IMAGE),
    ("locale", "nodes speak `C.UTF-8`; leave it out"),
    ("locale_configfile", "nodes speak `C.UTF-8`; leave it out"),
    ("lxd", IMAGE),
    ("manage_etc_hosts", "write `/etc/hosts` with `write_files`"),
    ("manage_resolv_conf", "use `dns` of `skerry.network`"),
    ("mcollective", COMMANDS),
    ("mount_default_fields", DISKS),
    ("mounts", DISKS),
    ("network", "use `skerry.network`"),
    ("output", BUILT_IN),
    ("package_reboot_if_required", IMAGE),
    ("package_update", IMAGE),
    ("package_upgrade", IMAGE),
    ("packages", IMAGE),
    ("password", LOGINS),
    ("phone_home", "the cluster knows its nodes; leave it out"),
    ("power_state", COMMANDS),
    ("prefer_fqdn_over_hostname", "give `hostname`"),
    ("preserve_hostname", "leave `hostname` out to keep the node's own"),
    ("puppet", COMMANDS),
    ("random_seed", BUILT_IN),
    ("resize_rootfs", DISKS),
    ("resolv_conf", "use `dns` of `skerry.network`"),
    ("rpi", IMAGE),
    ("rsyslog", "collect logs with a pod"),
    ("runcmd", COMMANDS),
    ("salt_minion", COMMANDS),
    ("snap", IMAGE),
    ("ssh", LOGINS),
    ("ssh_deletekeys", LOGINS),
    ("ssh_genkeytypes", LOGINS),
    ("ssh_import_id", LOGINS),
    ("ssh_keys", LOGINS),
    ("ssh_pwauth", LOGINS),
    ("swap", "nodes have none; leave it out"),
    ("system_info", IMAGE),
    ("users", LOGINS),
    ("yum_repos", IMAGE),
];

/// What to do instead of a key of cloud-init's; `None` if it is none of those.
pub fn instead(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(name, _)| *name == key).map(|(_, instead)| *instead)
}
