//! Queries a role's HTTP server like probes and monitoring.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use crate::process::{Running, Tributary, wait_until};

/// A started role with an HTTP server.
pub struct Role {
    pub running: Running,
    port: u16,
}

impl Role {
    /// Starts a role and waits for readiness.
    pub fn start(role: Tributary) -> Self {
        let port = free_port();
        let mut running = role.args(["--listen", &format!("127.0.0.1:{port}")]).start();
        wait_until("the role is ready", || {
            assert!(running.is_running(), "the role has ended");
            ask(port, "/readyz").is_some_and(|(status, _)| status == 200)
        });
        Self { running, port }
    }

    /// Returns the HTTP status of a path. `None` if nothing listens.
    pub fn status(&self, path: &str) -> Option<u16> {
        ask(self.port, path).map(|(status, _)| status)
    }

    /// Returns the body served at a path.
    ///
    /// # Panics
    /// Panics if the status isn't 200.
    pub fn get(&self, path: &str) -> String {
        let (status, body) = ask(self.port, path).expect("the role answers");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Returns the sum of a metric over all series with these labels, such as `kind="digest"`. `None` without such a
    /// series.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let metrics = self.get("/metrics");
        let of_series = metrics.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, with) = series.split_once('{').unwrap_or((series, ""));
            let fits = found == name && labels.iter().all(|label| with.contains(label));
            fits.then(|| value.parse::<f64>().expect("a metric is a number"))
        });
        of_series.reduce(|sum, value| sum + value)
    }
}

/// Returns a free port.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).expect("a port is free").local_addr().expect("the listener is bound").port()
}

/// Returns the status and the body of a path. `None` if nothing listens.
pub fn ask(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
