//! Programs that may run for so long and no longer, whatever becomes of whoever waits for them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::sys::{prctl, signal};

use super::{ProcessError, Said};

/// A program to run.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its variables, besides the way to servers.
    pub env: Vec<(&'static str, OsString)>,
    /// Where it runs.
    pub folder: PathBuf,
    /// When it is killed.
    pub limit: Duration,
}

/// What it inherits: by which proxies other servers are reached.
const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

/// Runs it to its end, whatever it comes to. It is killed when its time is up, when the value is dropped that this returns, and
/// when the calling thread ends.
///
/// # Errors
/// If it cannot be started or waited for, or its time is up.
pub async fn bounded(errand: Errand) -> Result<Said, ProcessError> {
    let Errand { program, args, env, folder, limit } = errand;
    let failed = |source| ProcessError::Start { program: program.clone(), source };
    let mut command = tokio::process::Command::new(&program);
    let inherited = PROXIES.iter().filter_map(|name| std::env::var_os(name).map(|value| (*name, value)));
    command.args(args).env_clear().env("PATH", path(&program)).envs(inherited).envs(env).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let hook = || Ok(prctl::set_pdeathsig(signal::Signal::SIGKILL)?);
    // SAFETY: between fork and exec the hook only makes one prctl call, which is async-signal-safe; it allocates nothing.
    #[expect(unsafe_code, reason = "no safe call sets what only the child itself may set")]
    let command = unsafe { command.pre_exec(hook) };
    let child = command.spawn().map_err(failed)?;
    let out = match tokio::time::timeout(limit, child.wait_with_output()).await {
        Ok(ended) => ended.map_err(failed)?,
        Err(_) => return Err(ProcessError::Late { program, limit }),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { code: out.status.code(), out: text(&out.stdout), err: text(&out.stderr) })
}

/// What programs are found by.
fn path(program: &Path) -> OsString {
    let own = program.parent().unwrap_or_else(|| Path::new("/"));
    format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", own.display()).into()
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::{Errand, bounded};
    use crate::sys::process::is_alive;

    fn shell(script: &str, limit: Duration) -> Errand {
        let args = ["-c", script].map(ToOwned::to_owned).to_vec();
        Errand { program: "/bin/sh".into(), args, env: vec![("SAID", "so".into())], folder: "/".into(), limit }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
    }

    #[test]
    fn what_it_says_and_how_it_ends_is_told() {
        let said = run(bounded(shell("echo $SAID; echo no >&2; exit 3", Duration::from_secs(9)))).expect("it ran");
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(3), "so\n", "no\n"));
    }

    #[test]
    fn what_takes_too_long_is_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pid");
        let script = format!("echo $$ > {}; exec sleep 60", file.display());
        let error = run(async {
            let ended = bounded(shell(&script, Duration::from_millis(500))).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            ended
        });
        assert_eq!(error.expect_err("too late").to_string(), "`/bin/sh` was ended: it took more than 0s");
        let pid = pid(&file);
        assert!(!is_alive(pid));
    }

    fn pid(file: &Path) -> u32 {
        crate::sys::fs::read_to_string(file).expect("written").trim().parse().expect("a number")
    }
}
