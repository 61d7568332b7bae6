//! The membership that was seen last, in the state directory: what ranks go by when a keeper starts while etcd is down.
//!
//! Read once at the start, written by a task of its own: neither a lease nor a decision waits for the disk.

use super::rank::{Member, Phase};
use crate::error::chain;
use crate::whole;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// Name of the file in the state directory.
pub const FILE: &str = "fleet.json";

/// The file.
#[derive(Debug, Deserialize, Serialize)]
struct Kept {
    /// Under which key of etcd the fleet is: another one is another fleet.
    prefix: String,
    members: Vec<Card>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Card {
    id: String,
    guard: String,
    phase: Phase,
}

/// Returns the members of the fleet under `prefix` as they were seen last; none where nothing is known or can be read.
pub fn read(state_dir: &Path, prefix: &str) -> Vec<Member> {
    let path = state_dir.join(FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            tracing::warn!(path = %path.display(), "the last membership can't be read: {error}");
            return Vec::new();
        }
    };
    match serde_json::from_slice::<Kept>(&text) {
        Ok(kept) if kept.prefix == prefix => kept.members.into_iter().filter_map(member).collect(),
        Ok(_) => Vec::new(),
        Err(error) => {
            tracing::warn!(path = %path.display(), "the last membership can't be read: {}", chain(&error));
            Vec::new()
        }
    }
}

/// Writes each membership that is seen, until nobody sees any more.
pub async fn keep(state_dir: PathBuf, prefix: String, mut seen: watch::Receiver<Vec<Member>>) {
    while seen.changed().await.is_ok() {
        let members = seen.borrow_and_update().clone();
        let (state_dir, prefix) = (state_dir.clone(), prefix.clone());
        let written = tokio::task::spawn_blocking(move || write(&state_dir, &prefix, &members)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!("the membership was not kept: {error}");
        }
    }
}

fn write(state_dir: &Path, prefix: &str, members: &[Member]) -> io::Result<()> {
    let kept = Kept { prefix: prefix.to_owned(), members: members.iter().map(card).collect() };
    whole::replace(&state_dir.join(FILE), &serde_json::to_vec(&kept)?)
}

fn card(member: &Member) -> Card {
    Card { id: member.id.clone(), guard: member.guard.to_string(), phase: member.phase }
}

fn member(card: Card) -> Option<Member> {
    Some(Member { guard: card.guard.parse().ok()?, id: card.id, phase: card.phase })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::prelude::Pubkey;

    fn fleet() -> Vec<Member> {
        let member =
            |(id, phase): (&str, Phase)| Member { id: id.into(), guard: Pubkey::new_from_array([7; 32]), phase };
        [("a", Phase::Ready), ("b", Phase::Probation)].map(member).to_vec()
    }

    #[test]
    fn membership_is_read_as_it_was_written_for_the_same_fleet_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(read(dir.path(), "/rampart").is_empty(), "nothing was seen yet");
        write(dir.path(), "/rampart", &fleet()).expect("a file");
        assert_eq!(read(dir.path(), "/rampart"), fleet());
        assert!(read(dir.path(), "/other").is_empty(), "another fleet's");
    }

    #[test]
    fn file_that_is_no_membership_counts_as_none() {
        let dir = tempfile::tempdir().expect("a directory");
        for text in ["", "{", r#"{"prefix":"/rampart"}"#, r#"{"prefix":"/rampart","members":[{"id":"a"}]}"#] {
            std::fs::write(dir.path().join(FILE), text).expect("a file");
            assert!(read(dir.path(), "/rampart").is_empty(), "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_seen_is_kept_and_the_newest_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let seen = watch::Sender::new(Vec::new());
        let keeping = tokio::spawn(keep(dir.path().to_owned(), "/rampart".into(), seen.subscribe()));
        seen.send_replace(fleet()[..1].to_vec());
        seen.send_replace(fleet());
        for _ in 0..1_000 {
            if read(dir.path(), "/rampart") == fleet() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(read(dir.path(), "/rampart"), fleet());
        drop(seen);
        keeping.await.expect("it ends when nobody sees any more");
    }
}
