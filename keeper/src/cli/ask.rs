//! Asks a running keeper over its API.

use super::AskArgs;
use crate::config::Config;
use crate::control::Token;
use crate::error::KeeperError;
use crate::http::HttpError;
use crate::view::View;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// A running keeper.
pub(super) struct Running {
    base: String,
    client: Client,
}

impl Running {
    /// The keeper at the given address, or at the one of the settings. These are only read if no address is given.
    pub fn of(args: &AskArgs, settings: impl FnOnce() -> Result<Config, KeeperError>) -> Result<Self, KeeperError> {
        let base = match &args.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", settings()?.http.listen),
        };
        let built = Client::builder().connect_timeout(PATIENCE).no_proxy().build();
        let client = built.map_err(|source| HttpError::Ask { url: base.clone(), source })?;
        Ok(Self { base, client })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks for the whole state.
    pub async fn state(&self) -> Result<View, KeeperError> {
        self.get("/api/v1/state", &[]).await
    }

    /// Asks for something that may not be there.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, KeeperError> {
        let request = self.client.get(format!("{}{path}", self.base)).query(query).timeout(PATIENCE);
        self.answer(request).await
    }

    /// Asks to act, with the token.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &Token,
        body: &impl serde::Serialize,
    ) -> Result<T, KeeperError> {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(token.expose()).json(body);
        self.answer(request.timeout(PATIENCE)).await
    }

    /// Opens the stream of facts.
    pub async fn events(&self) -> Result<reqwest::Response, KeeperError> {
        let url = format!("{}/api/v1/events", self.base);
        let sent = self.client.get(&url).send().await.and_then(reqwest::Response::error_for_status);
        Ok(sent.map_err(|source| HttpError::Ask { url, source })?)
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, KeeperError> {
        let failed = |source| HttpError::Ask { url: self.base.clone(), source };
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.json().await.map_err(failed)?);
        }
        let body: Value = answer.json().await.unwrap_or_default();
        let reason = body["error"].as_str().unwrap_or("it gave no reason");
        Err(KeeperError::Refused {
            what: format!("the keeper refused ({status}): {reason}"),
            hint: hint(status).into(),
        })
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "read the token with the same user and settings as the keeper",
        StatusCode::NOT_FOUND => "`rampart status` lists what the keeper knows",
        StatusCode::SERVICE_UNAVAILABLE => "wait a moment; `rampart status` says what it is missing",
        _ => "`rampart doctor` looks further",
    }
}
