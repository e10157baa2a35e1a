//! A fake nats-server of release 2.9 for tests, because no such release is available. Clients give up before the
//! difference shows.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The version that the server reports.
pub const VERSION: &str = "2.9.25";

/// The answer of release 2.9 to a request for the account's JetStream information.
const ACCOUNT: &str = r#"{"type":"io.nats.jetstream.api.v1.account_info_response","memory":0,"storage":0,"streams":0,"consumers":0,"limits":{"max_memory":-1,"max_storage":-1,"max_streams":-1,"max_consumers":-1,"max_ack_pending":-1,"memory_max_stream_bytes":-1,"storage_max_stream_bytes":-1,"max_bytes_required":false},"api":{"total":0,"errors":0}}"#;

/// The answer to every other request.
const NOT_FOUND: &str = r#"{"error":{"code":404,"err_code":10059,"description":"stream not found"}}"#;

/// A running server. Each connection has a thread, which ends with the connection; the port stays open until the
/// process ends.
pub struct OldNatsServer {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl OldNatsServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let (address, requests) = (listener.local_addr()?, Arc::<AtomicUsize>::default());
        let counted = requests.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let requests = counted.clone();
                // A client that hangs up ends its thread.
                thread::spawn(move || serve(&client, address, &requests));
            }
        });
        Ok(Self { address, requests })
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Returns the number of JetStream requests received from clients.
    pub fn jetstream_requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(mut client: &TcpStream, address: SocketAddr, requests: &AtomicUsize) -> std::io::Result<()> {
    let (host, port) = (address.ip(), address.port());
    write!(
        client,
        r#"INFO {{"server_id":"OLD","server_name":"old","version":"{VERSION}","proto":1,"go":"go1.20.14","host":"{host}","port":{port},"headers":true,"max_payload":1048576,"jetstream":true,"client_id":1}} "#
    )?;
    client.write_all(b"\r\n")?;
    let (mut reader, mut subscriptions) = (BufReader::new(client), Vec::<(String, String)>::new());
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["PING"] => client.write_all(b"PONG\r\n")?,
            ["SUB", subject, id] => subscriptions.push((subject.to_owned(), id.to_owned())),
            ["PUB" | "HPUB", subject, .., length] => {
                let payload = length.parse::<usize>().map_err(std::io::Error::other)? + b"\r\n".len();
                reader.read_exact(&mut vec![0; payload])?;
                if let Some(request) = subject.strip_prefix("$JS.API.") {
                    requests.fetch_add(1, Ordering::SeqCst);
                    let answer = if request == "INFO" { ACCOUNT } else { NOT_FOUND };
                    for (_, id) in subscriptions.iter().filter(|(listened, _)| covers(listened, words[2])) {
                        write!(client, "MSG {} {id} {}\r\n{answer}\r\n", words[2], answer.len())?;
                    }
                }
            }
            _ => {}
        }
        line.clear();
    }
    Ok(())
}

/// Returns true if a subscription to `listened`, possibly with a wildcard at the end, covers `subject`.
fn covers(listened: &str, subject: &str) -> bool {
    listened.strip_suffix('*').map_or(listened == subject, |beginning| subject.starts_with(beginning))
}
