//! The least of an HTTP client: one `GET` of a server on this machine.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: String,
}

/// Gets `path` of the server on `port` of this machine.
///
/// HTTP 1.0 is asked for, so the body ends with the connection.
///
/// # Errors
/// The system's, `TimedOut` after five seconds, `InvalidData` for something else than HTTP.
pub async fn get(port: u16, path: &str) -> std::io::Result<Answer> {
    let timeout = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let bytes = tokio::time::timeout(TIMEOUT, fetch(port, path)).await.map_err(timeout)??;
    parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

async fn fetch(port: u16, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(MAX_BYTES).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_split_into_status_and_body() {
        let answer = parse("HTTP/1.0 503 Service Unavailable\r\nA: b\r\n\r\nnot ready").unwrap();
        assert_eq!(answer, Answer { status: 503, body: "not ready".to_owned() });
        assert_eq!(parse("what"), None);
    }
}
