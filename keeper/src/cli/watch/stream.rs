//! The stream of facts, read line by line.

use crate::cli::ask::Running;
use crate::error::KeeperError;
use crate::events::Event;
use std::collections::VecDeque;

/// A line longer than this is no fact.
const LONGEST: usize = 1 << 20;

/// Facts as they are told.
pub(super) struct EventStream {
    answer: reqwest::Response,
    parser: Parser,
}

impl EventStream {
    pub async fn open(running: &Running) -> Result<Self, KeeperError> {
        Ok(Self { answer: running.events().await?, parser: Parser::default() })
    }

    /// Returns the next fact; nothing once the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.parser.ready.pop_front() {
                return Some(event);
            }
            let chunk = self.answer.chunk().await.ok()??;
            self.parser.take(&chunk);
        }
    }
}

/// Puts facts together from pieces of the stream.
#[derive(Default)]
struct Parser {
    rest: Vec<u8>,
    ready: VecDeque<Event>,
}

impl Parser {
    fn take(&mut self, chunk: &[u8]) {
        self.rest.extend_from_slice(chunk);
        while let Some(at) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=at).collect();
            let data = line.strip_prefix(b"data:").and_then(|data| serde_json::from_slice(data.trim_ascii()).ok());
            self.ready.extend(data);
        }
        if self.rest.len() > LONGEST {
            self.rest.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_put_together_from_pieces_and_anything_else_is_left_out() {
        let fact = r#"{"id":4,"ts":1,"slot":9,"kind":"source_up","text":"up","fields":{},"severity":"info"}"#;
        let text = format!(": hello\n\nevent: source_up\ndata: {fact}\nid: 4\n\ndata: no fact\n\ndata:{fact}\n");
        let mut parser = Parser::default();
        text.as_bytes().chunks(7).for_each(|chunk| parser.take(chunk));
        let ids: Vec<u64> = parser.ready.iter().map(|event| event.id).collect();
        assert_eq!(ids, [4, 4]);
    }
}
