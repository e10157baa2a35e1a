//! Requests to a model's server, and the common parts of all servers' answers.

use std::{
    error::Error,
    iter,
    time::{Duration, SystemTime},
};

use reqwest::{
    Client, ClientBuilder, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    endpoints::{Endpoints, Secret},
    error::{ConnectError, ModelError},
    name::ModelName,
};

/// The address of calls to a model.
pub(super) struct ModelServer {
    client: Client,
    url: Url,
    /// The model and its server, for errors.
    pub at: String,
}

impl ModelServer {
    /// The key goes into the header `key.0`, behind `key.1`.
    pub fn new(
        model: &ModelName,
        base: &str,
        url: Url,
        key: Option<(HeaderName, &str, &Secret)>,
        endpoints: &Endpoints,
    ) -> Result<Self, ConnectError> {
        let mut headers = HeaderMap::new();
        if let Some((header, prefix, key)) = key {
            let mut value = HeaderValue::from_str(&format!("{prefix}{}", key.expose()))
                .map_err(|_| ConnectError::BadKey { model: model.to_string() })?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        let builder = || settled(&url, &headers, endpoints);
        let client = match builder().build() {
            // A machine without root certificates can still talk to a server next door.
            Err(_) if url.scheme() == "http" => builder().tls_certs_only(iter::empty()).build(),
            client => client,
        };
        let client =
            client.map_err(|error| ConnectError::Client { model: model.to_string(), reason: with_causes(&error) })?;
        Ok(Self { client, at: format!("{model} at {}", without_login(base)), url })
    }

    /// Sends a request and reads the whole answer, whatever its status.
    pub async fn post(&self, body: &impl Serialize) -> Result<HttpAnswer, ModelError> {
        let broken = |error: reqwest::Error| self.broken(error);
        let response = self.client.post(self.url.clone()).json(body).send().await.map_err(broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(broken)?;
        Ok(HttpAnswer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    fn broken(&self, error: reqwest::Error) -> ModelError {
        let error = error.without_url();
        let message = match (error.is_timeout(), error.is_connect()) {
            (true, true) => format!("{}: no connection in time", self.at),
            (true, false) => format!("{}: no answer in time", self.at),
            _ => format!("{}: {}", self.at, with_causes(&error)),
        };
        if error.is_builder() { ModelError::Fatal { message } } else { ModelError::Unavailable { message } }
    }

    pub fn unavailable(&self, why: impl std::fmt::Display) -> ModelError {
        ModelError::Unavailable { message: format!("{}: {why}", self.at) }
    }

    pub fn fatal(&self, why: impl std::fmt::Display) -> ModelError {
        ModelError::Fatal { message: format!("{}: {why}", self.at) }
    }
}

fn settled(url: &Url, headers: &HeaderMap, endpoints: &Endpoints) -> ClientBuilder {
    // Fails where the process has installed a provider already; any provider will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("tributary/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers.clone())
        // A redirected POST would arrive as a GET, and the key would reach a stranger.
        .redirect(redirect::Policy::none())
        .connect_timeout(endpoints.connect_timeout)
        .timeout(endpoints.call_timeout)
        .read_timeout(endpoints.stall_timeout)
        .pool_idle_timeout(Duration::from_secs(60))
        // Keep-alives detect a lost server during its silence, long before the time-outs.
        .tcp_keepalive(Duration::from_secs(20))
        .tcp_keepalive_interval(Duration::from_secs(10))
        .tcp_keepalive_retries(3)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(20));
    if is_loopback(url) { builder.no_proxy() } else { builder }
}

/// Tells whether the server runs on this machine, and so behind no proxy.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The base address as given by the user, without secrets.
fn without_login(base: &str) -> String {
    let Ok(mut url) = Url::parse(base) else { return base.to_owned() };
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.to_string().trim_end_matches('/').to_owned()
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error| (*error).source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}

/// The address of a base and a path below its version: `base` may end with a version or not.
pub(super) fn address(model: &ModelName, base: &str, version: &str, path: &str) -> Result<Url, ConnectError> {
    let bad = |reason: String| ConnectError::BadAddress { model: model.to_string(), base: without_login(base), reason };
    let mut url = Url::parse(base.trim()).map_err(|error| bad(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it begins with neither http:// nor https://".to_owned()));
    }
    let given = url.path().trim_end_matches('/').trim_end_matches(path).trim_end_matches('/').to_owned();
    let is_version =
        |segment: &str| segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let full = match given.split('/').any(is_version) {
        true => format!("{given}/{path}"),
        false => format!("{given}/{version}/{path}"),
    };
    url.set_path(&full);
    Ok(url)
}

/// A server's complete answer.
pub(super) struct HttpAnswer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: String,
}

impl HttpAnswer {
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// The status and the beginning of the body, for people.
    pub fn excerpt(&self) -> String {
        let words: Vec<_> = self.body.split_whitespace().collect();
        let text: String = words.join(" ").chars().take(300).collect();
        format!("{}: {}", self.status, if text.is_empty() { "no text" } else { &text })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// The wait requested by the server, in any of the usual headers.
    pub fn retry_after(&self) -> Option<Duration> {
        let number = |name, unit: f64| {
            let number: f64 = self.header(name)?.parse().ok()?;
            Duration::try_from_secs_f64(number * unit).ok()
        };
        number("retry-after-ms", 0.001).or_else(|| number("retry-after", 1.0)).or_else(|| self.retry_date())
    }

    /// The wait until a date, measured by the server's own clock.
    fn retry_date(&self) -> Option<Duration> {
        let until = httpdate::parse_http_date(self.header("retry-after")?).ok()?;
        let now = self.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
        Some(until.duration_since(now.unwrap_or_else(SystemTime::now)).unwrap_or_default())
    }
}

/// The first whole number within a few characters behind `phrase`: `(8,192` behind `context size`.
pub(super) fn number_after(text: &str, phrase: &str) -> Option<u32> {
    let rest = &text[text.find(phrase)? + phrase.len()..];
    let start = rest.char_indices().take(8).find(|(_, c)| c.is_ascii_digit())?.0;
    let digits = rest[start..].chars().take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '_'));
    digits.filter(char::is_ascii_digit).collect::<String>().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str) -> String {
        address(&"openai/x".parse().unwrap(), base, "v1", "chat/completions").unwrap().to_string()
    }

    #[test]
    fn a_base_address_may_have_its_version_or_not() {
        for base in ["http://h:1", "http://h:1/", "http://h:1/v1", " http://h:1/v1/ ", "http://h:1/v1/chat/completions"]
        {
            assert_eq!(url(base), "http://h:1/v1/chat/completions");
        }
        assert_eq!(url("https://openrouter.ai/api/v1"), "https://openrouter.ai/api/v1/chat/completions");
        assert_eq!(url("https://g/v1beta/openai/"), "https://g/v1beta/openai/chat/completions");
    }

    #[test]
    fn what_is_no_web_address_is_refused_and_shows_no_password() {
        for base in ["", "localhost:8000", "ftp://u:hush@h/"] {
            let error = address(&"openai/x".parse().unwrap(), base, "v1", "x").unwrap_err().to_string();
            assert!(error.contains("is no address for openai/x") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn numbers_are_read_behind_their_phrase_only() {
        assert_eq!(number_after("context length is 32,768 tokens", "context length is"), Some(32768));
        assert_eq!(number_after("context size (4096 tokens)", "context size"), Some(4096));
        assert_eq!(number_after("the context size of this model is 1", "context size"), None);
        assert_eq!(number_after("context length 99999999999", "context length"), None);
    }
}
