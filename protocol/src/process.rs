//! The name of this process within a deployment.

/// Returns the process's name for people: its host (in Kubernetes its pod) and its number there, `worker-0 7`.
pub fn name() -> String {
    let host = std::env::var("HOSTNAME").or_else(|_| std::fs::read_to_string("/etc/hostname")).unwrap_or_default();
    format!("{} {}", host.trim(), std::process::id()).trim().to_owned()
}
