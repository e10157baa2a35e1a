//! A server on this machine that answers as a test tells it to, and remembers what it was asked.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    response::Response,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub key: String,
    pub body: Value,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Whole,
    /// Never begins.
    Silent,
    /// Begins, and never ends.
    Stalled,
}

impl Answer {
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), end: End::Whole }
    }

    pub fn json(status: u16, body: Value) -> Self {
        Self::text(status, body.to_string())
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn silent() -> Self {
        Self { end: End::Silent, ..Self::text(200, "") }
    }

    pub fn stalled(mut self) -> Self {
        self.end = End::Stalled;
        self
    }

    async fn respond(self) -> Response {
        if self.end == End::Silent {
            return std::future::pending().await;
        }
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = Bytes::from(self.body);
        response
            .body(match self.end {
                End::Stalled => Body::from_stream(stream::iter([Ok::<_, Infallible>(body)]).chain(stream::pending())),
                _ => Body::from(body),
            })
            .unwrap()
    }
}

pub struct ModelServer {
    pub base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ModelServer {
    /// Answers each request as `decide` says.
    pub async fn deciding(decide: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, decide) = (Arc::clone(&asked), Arc::new(decide));
        let router = Router::new().fallback(move |request: Request| {
            let (seen, decide) = (Arc::clone(&seen), Arc::clone(&decide));
            async move {
                let asked = read(request).await;
                let answer = decide(&asked);
                seen.lock().unwrap().push(asked);
                answer.respond().await
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, asked }
    }

    /// Answers the first request with the first answer and so on; the last one stays.
    pub async fn answering(answers: impl Into<Vec<Answer>>) -> Self {
        let mut answers: Vec<_> = answers.into();
        answers.reverse();
        let answers = Mutex::new(answers);
        Self::deciding(move |_| {
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() }
        })
        .await
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn last(&self) -> Value {
        self.asked().pop().expect("something was asked").body
    }
}

async fn read(request: Request) -> Asked {
    let (head, body) = request.into_parts();
    let header = |name| Some(head.headers.get(name)?.to_str().unwrap().to_owned());
    let key = header("authorization").or_else(|| header("x-goog-api-key")).unwrap_or_default();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Asked { path: head.uri.path().to_owned(), key, body: serde_json::from_slice(&body).unwrap_or(json!(null)) }
}
