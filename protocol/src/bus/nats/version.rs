//! The version of the server, as told in the first message of each connection.

use crate::bus::BusProblem;

/// The oldest nats-server that has everything in use. Releases before 2.10.8 leave `reserved_memory` out of their
/// account information, and the client can't parse the rest without the field.
const NEEDED: [u64; 3] = [2, 10, 8];

/// Rejects versions that are clearly older than [`NEEDED`]. Versions without numbers, as custom builds have, pass.
pub(super) fn check(found: &str) -> Result<(), BusProblem> {
    let numbers = found.trim_start_matches('v').split(|c: char| !c.is_ascii_digit());
    let numbers = numbers.map_while(|number| number.parse::<u64>().ok());
    let difference = NEEDED.into_iter().zip(numbers).find(|(needed, found)| needed != found);
    if difference.is_some_and(|(needed, found)| found < needed) {
        let needed = NEEDED.map(|number| number.to_string()).join(".");
        return Err(BusProblem::ServerTooOld { found: found.to_owned(), needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clearly_older_servers_are_refused() {
        for good in
            ["2.10.8", "v2.10.25", "2.11.0-dev", "2.10.8-RC.1", "2.10", "2.14.0-preview.2", "10.0.0", "main", ""]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for old in ["2.9.25", "v2.9", "2.10.7", "2.10.0-RC.1", "1.4.1", "0.10.8"] {
            let problem = BusProblem::ServerTooOld { found: old.to_owned(), needed: "2.10.8".to_owned() };
            assert_eq!(check(old), Err(problem));
        }
    }
}
