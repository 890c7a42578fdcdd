//! Hands an administrator's kubeconfig out, where the seed allows it and a marked medium asks for it. Never on the console.

use skerry_formats::seed::HandOut;

use crate::{
    chain,
    intent::Intent,
    seed::medium::{Access, Medium},
    sys::{block::Device, console::Console, fs, process::Program},
};

/// Which media were served already.
#[derive(Debug, Default)]
pub struct Admin {
    seen: Vec<Device>,
    failed: Vec<String>,
}

impl Admin {
    /// Serves each medium once; to be asked when the cluster can be used. Gives what went wrong.
    pub fn offer(&mut self, intent: &Intent, devices: &[Device], console: &mut Console) -> Vec<String> {
        let allowed = intent.work.cluster().and_then(|cluster| cluster.admin_kubeconfig.to) == Some(HandOut::Medium);
        if !allowed || self.seen == devices {
            return self.failed.clone();
        }
        let new = devices.iter().filter(|device| !self.seen.contains(device));
        self.failed.clear();
        for medium in new.filter_map(Medium::look).filter(Medium::is_for_admin) {
            match hand_out(intent, &medium) {
                Ok(file) => {
                    console.line(format!("skerry: kubeconfig: written to the medium `{}` as {file}", medium.name()));
                }
                Err(why) => self.failed.push(format!("kubeconfig for the medium `{}`: {why}", medium.name())),
            }
        }
        self.seen = devices.to_vec();
        self.failed.clone()
    }
}

fn hand_out(intent: &Intent, medium: &Medium) -> Result<String, String> {
    let kubeconfig = Program::new("/usr/bin/sk8s").args(["kubeconfig", "admin"]).run();
    let kubeconfig = kubeconfig.map_err(|error| chain::one_line(&error))?;
    let name = format!("{}.kubeconfig", intent.name);
    let write = |folder: &std::path::Path| fs::write_atomic(&folder.join(&name), kubeconfig.as_bytes(), 0o600);
    medium.within(Access::Write, write).map_err(|error| error.in_words())?;
    Ok(name)
}
