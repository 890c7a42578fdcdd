//! Load on a cluster: many small writes at once, and many pods at once.

use serde_json::Value;

use super::contender::Contender;

const SCRIPT: &str = include_str!("load.sh");

/// What came of many writes.
pub struct Writes {
    /// How many were not answered with success.
    pub failed: usize,
    /// Seconds that half of them took at most.
    pub median: f64,
    /// Seconds that all but one in a hundred took at most.
    pub slow: f64,
}

/// Objects made by some clients at once, each over one connection.
pub fn writes(contender: &Contender, keys: &str, (clients, each): (usize, usize)) -> Result<Writes, String> {
    let (clients, each) = (clients.to_string(), each.to_string());
    outcome(&contender.said(&["sh", "-c", SCRIPT, "load", keys, "writes", &clients, &each]))
}

fn outcome(text: &str) -> Result<Writes, String> {
    let mut seconds = Vec::new();
    let mut failed = 0;
    for line in text.lines() {
        let (code, time) = line.split_once(' ').ok_or_else(|| format!("not an answer: `{line}`"))?;
        failed += usize::from(code != "201");
        seconds.push(time.parse().map_err(|_| format!("not an answer: `{line}`"))?);
    }
    let [median, slow] = quantiles(seconds, [0.5, 0.99]).ok_or("no write was answered")?;
    Ok(Writes { failed, median, slow })
}

/// What came of pods that were made together.
pub struct Pods {
    /// Seconds until half of them were ready, as the API tells it: in whole seconds.
    pub median: f64,
    /// Seconds until the last was.
    pub last: f64,
}

/// Makes pods of an image and waits until all are ready.
pub fn pods(contender: &Contender, keys: &str, (count, image): (usize, &str)) -> Result<Pods, String> {
    started(&contender.said(&["sh", "-c", SCRIPT, "load", keys, "pods", &count.to_string(), image]))
}

fn started(text: &str) -> Result<Pods, String> {
    let list: Value = serde_json::from_str(text).map_err(|error| format!("the list of pods: {error}"))?;
    let took = |pod: &Value| {
        let ready = pod["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == "Ready")?;
        Some(moment(ready["lastTransitionTime"].as_str()?)? - moment(pod["metadata"]["creationTimestamp"].as_str()?)?)
    };
    let all: Vec<f64> = list["items"].as_array().into_iter().flatten().filter_map(took).collect();
    let [median, last] = quantiles(all, [0.5, 1.0]).ok_or("no pod was made")?;
    Ok(Pods { median, last })
}

/// Seconds of a time of day in the form of RFC 3339; nothing here lasts for days.
fn moment(text: &str) -> Option<f64> {
    let time = text.split_once('T')?.1.trim_end_matches('Z');
    time.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

/// The values below which these parts of all lie.
fn quantiles<const N: usize>(mut values: Vec<f64>, parts: [f64; N]) -> Option<[f64; N]> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(parts.map(|part| values[((last as f64) * part).round() as usize]))
}

#[cfg(test)]
mod tests {
    use super::{outcome, started};

    #[test]
    fn refused_writes_are_counted() {
        let writes = outcome("201 0.010\n201 0.030\n500 0.020\n").expect("answers");
        assert_eq!((writes.failed, writes.median, writes.slow), (1, 0.020, 0.030));
        assert!(outcome("").is_err());
    }

    #[test]
    fn a_pod_took_from_its_making_to_its_readiness() {
        let pod = |ready: &str| {
            format!(
                r#"{{"metadata": {{"creationTimestamp": "2026-01-01T10:59:58Z"}},
                   "status": {{"conditions": [{{"type": "Ready", "lastTransitionTime": "2026-01-01T{ready}Z"}}]}}}}"#
            )
        };
        let text = format!("{{\"items\": [{}, {}]}}", pod("11:00:00"), pod("11:00:03"));
        assert_eq!(started(&text).expect("pods").last, 5.0);
    }
}
