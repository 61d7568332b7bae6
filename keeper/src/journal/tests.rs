use super::*;
use crate::intent::{ActionClass, Blockhash, Intent};
use solana_sdk::hash::Hash;
use solana_sdk::pubkey::Pubkey;
use std::io::{Read, Seek, SeekFrom, Write};

/// Called after each commit, with the lock held: what it copies is what a crash at that moment leaves.
pub type Hook = Box<dyn Fn(&Path) + Send>;

impl Journal {
    /// Calls `hook` after each commit.
    pub fn on_commit(&self, hook: Hook) {
        *self.shared.after_commit.lock().expect("no panic holds it") = Some(hook);
    }

    /// Copies the files as a crash would leave them now.
    pub fn copy_to(&self, to: &Path) {
        let _held = self.connection();
        copy_files(self.shared.path.parent().expect("a directory"), to);
    }

    /// Makes every write fail, as a full disk does, or lets them pass again.
    pub fn refuse_writes(&self, is_refusing: bool) {
        self.connection().pragma_update(None, "query_only", is_refusing).expect("a setting");
    }

    /// Overwrites the file, past what SQLite keeps in memory.
    pub fn corrupt_file(&self) {
        let connection = self.connection();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
        let length = fs::metadata(&self.shared.path).expect("its size").len();
        let mut file = fs::OpenOptions::new().write(true).open(&self.shared.path).expect("the file");
        file.write_all(&vec![0x5a; usize::try_from(length).expect("a small file")]).expect("an overwrite");
        connection.execute_batch("PRAGMA shrink_memory; PRAGMA cache_size = 0;").expect("a setting");
    }

    pub(super) fn tell_commit(&self) {
        if let Some(hook) = &*self.shared.after_commit.lock().expect("no panic holds it") {
            hook(self.shared.path.parent().expect("a directory"));
        }
    }

    pub fn rows(&self) -> i64 {
        self.connection().query_row("SELECT count(*) FROM transactions", [], |row| row.get(0)).expect("a count")
    }

    pub fn state_of(&self, signature: &Signature) -> String {
        let sql = "SELECT state FROM transactions WHERE signature = ?1";
        self.connection().query_row(sql, [signature.to_string()], |row| row.get(0)).expect("a row")
    }
}

/// Copies the journal's files, without its lock.
pub fn copy_files(from: &Path, to: &Path) {
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        if from.join(&name).exists() {
            fs::copy(from.join(&name), to.join(&name)).expect("a copy");
        }
    }
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open(dir: &tempfile::TempDir) -> Journal {
    Journal::open(dir.path(), Metrics::new()).expect("a journal")
}

pub fn signed(number: u8) -> Signed {
    let target = Pubkey::new_from_array([number; 32]);
    Signed {
        intent: Intent { class: ActionClass::Liquidate, target, fence: u64::MAX, reason: "below the line".into() },
        signature: Signature::from([number; 64]),
        bytes: vec![number; 200],
        blockhash: Blockhash { hash: Hash::new_from_array([number; 32]), last_valid_block_height: 1_000 },
        fee_lamports: 5_000,
        planned_ms: unix_ms(),
    }
}

fn landed() -> Outcome {
    Outcome::Landed { slot: 9, compute_units: None }
}

#[test]
fn undecided_rows_survive_a_restart_whole() {
    let dir = dir();
    let journal = open(&dir);
    assert_eq!(journal.insert_signed(&[signed(1), signed(2), signed(3)]).expect("written"), [true; 3]);
    journal.mark_sent(&signed(2).signature).expect("written");
    journal.decide(&signed(2).signature, &Outcome::Unknown).expect("written");
    journal.decide(&signed(3).signature, &landed()).expect("written");
    drop(journal);
    let undecided = open(&dir).undecided().expect("rows");
    let expected = [(signed(1), State::Signed), (signed(2), State::Unknown)];
    for (found, (signed, state)) in undecided.iter().zip(expected) {
        assert_eq!(found.state, state);
        assert_eq!(found.signed, Signed { planned_ms: found.signed.planned_ms, ..signed });
    }
    assert_eq!(undecided.len(), 2);
}

#[test]
fn commit_is_on_disk_before_the_call_returns() {
    let (dir, copy) = (dir(), self::dir());
    let journal = open(&dir);
    journal.insert_signed(&[signed(1)]).expect("written");
    journal.copy_to(copy.path());
    assert_eq!(open(&copy).undecided().expect("rows").len(), 1);
}

#[test]
fn same_bytes_are_written_once() {
    let dir = dir();
    let journal = open(&dir);
    journal.insert_signed(&[signed(1)]).expect("written");
    assert_eq!(journal.insert_signed(&[signed(1), signed(2)]).expect("written"), [false, true]);
}

#[test]
fn final_states_never_change() {
    let dir = dir();
    let journal = open(&dir);
    journal.insert_signed(&[signed(1)]).expect("written");
    journal.decide(&signed(1).signature, &landed()).expect("written");
    journal.mark_sent(&signed(1).signature).expect("ignored");
    journal.decide(&signed(1).signature, &Outcome::Expired).expect("ignored");
    journal.mark_unsent(&[signed(1).signature], State::Superseded).expect("ignored");
    assert_eq!(journal.state_of(&signed(1).signature), "landed");
    assert_eq!(journal.landed(10).expect("rows"), [signed(1).intent.id()]);
}

#[test]
fn sent_rows_cannot_be_superseded() {
    let dir = dir();
    let journal = open(&dir);
    journal.insert_signed(&[signed(1)]).expect("written");
    journal.mark_sent(&signed(1).signature).expect("written");
    journal.mark_unsent(&[signed(1).signature], State::Superseded).expect("ignored");
    assert_eq!(journal.state_of(&signed(1).signature), "sent");
}

#[test]
fn open_fails_while_another_keeper_holds_the_directory() {
    let dir = dir();
    let journal = open(&dir);
    let error = Journal::open(dir.path(), Metrics::new()).err().expect("a refusal");
    assert!(matches!(error, JournalError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    assert!(error.to_string().ends_with(&format!("in use by another keeper, process {}", std::process::id())));
    drop(journal);
    open(&dir);
}

#[test]
fn open_fails_on_a_file_that_is_no_journal() {
    let dir = dir();
    fs::write(dir.path().join(FILE), vec![0x5a; 8_192]).expect("a file");
    let error = Journal::open(dir.path(), Metrics::new()).err().expect("a refusal");
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
    assert!(error.hint().contains(FILE) && error.to_string().contains(FILE));
    assert_eq!(crate::error::KeeperError::from(error).exit_code(), 6);
}

#[test]
fn fault_43_open_fails_on_a_torn_file() {
    let dir = dir();
    let journal = open(&dir);
    let rows: Vec<_> = (0..=200).map(signed).collect();
    journal.insert_signed(&rows).expect("written");
    drop(journal);
    let file = fs::OpenOptions::new().write(true).open(dir.path().join(FILE)).expect("the file");
    let length = file.metadata().expect("its size").len();
    file.set_len(length / 2).expect("a tear");
    let error = Journal::open(dir.path(), Metrics::new()).err().expect("a refusal");
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
}

#[test]
fn fault_43_flipped_bit_in_a_row_is_found() {
    let dir = dir();
    let journal = open(&dir);
    journal.insert_signed(&[signed(0xab)]).expect("written");
    drop(journal);
    flip(&dir.path().join(FILE), &[0xab; 200]);
    let journal = Journal::open(dir.path(), Metrics::new()).expect("the structure is whole");
    let error = journal.undecided().expect_err("a refusal");
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
}

fn flip(path: &Path, pattern: &[u8]) {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).expect("the file");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("its content");
    let at = bytes.windows(pattern.len()).position(|window| window == pattern).expect("the bytes of the row");
    file.seek(SeekFrom::Start(at as u64 + 50)).expect("a place");
    file.write_all(&[bytes[at + 50] ^ 1]).expect("a flip");
}

#[test]
fn open_fails_on_a_later_layout() {
    let dir = dir();
    open(&dir).connection().pragma_update(None, "user_version", 99).expect("a version");
    let error = Journal::open(dir.path(), Metrics::new()).err().expect("a refusal");
    assert!(matches!(error, JournalError::TooNew { found: 99, known: 1, .. }), "{error}");
}

#[test]
fn prune_keeps_what_is_undecided_or_young() {
    let dir = dir();
    let journal = open(&dir);
    journal.insert_signed(&[signed(1), signed(2), signed(3)]).expect("written");
    journal.decide(&signed(1).signature, &Outcome::Expired).expect("written");
    journal.mark_unsent(&[signed(2).signature], State::Superseded).expect("written");
    journal.prune(unix_ms() + KEEP_UNSENT_MS + 1_000).expect("pruned");
    assert_eq!(journal.rows(), 2, "the superseded row is gone");
    journal.prune(unix_ms() + KEEP_DECIDED_MS + 1_000).expect("pruned");
    assert_eq!(journal.rows(), 1, "the expired row is gone");
    assert_eq!(journal.undecided().expect("rows").len(), 1);
}

/// Rows of `numbers` that were planned long ago.
pub fn old(numbers: std::ops::Range<u16>) -> Vec<Signed> {
    let row = |number: u16| {
        let mut signature = [7; 64];
        signature[..2].copy_from_slice(&number.to_le_bytes());
        Signed { signature: Signature::from(signature), planned_ms: 1, ..signed(7) }
    };
    numbers.map(row).collect()
}

/// Only an opening removed anything, and each new blockhash left a row for every trip: hundreds of thousands in a day.
#[test]
fn prune_goes_on_in_bounded_parts_and_never_takes_what_may_still_land() {
    let dir = dir();
    let journal = open(&dir);
    let rows = old(0..1_510);
    journal.insert_signed(&rows).expect("written");
    let names: Vec<Signature> = rows.iter().map(|row| row.signature).collect();
    journal.mark_unsent(&names[10..], State::Superseded).expect("written");
    names[3..10].iter().for_each(|name| journal.mark_sent(name).expect("written"));
    names[6..10].iter().for_each(|name| journal.decide(name, &Outcome::Unknown).expect("written"));
    drop(journal);
    let journal = open(&dir);
    assert_eq!(journal.rows(), 1_010, "an opening takes a part alone: nobody is defended meanwhile");
    let parts = [(); 3].map(|()| journal.prune(unix_ms()).expect("pruned"));
    assert_eq!((parts, journal.rows()), ([500, 500, 0], 10));
    let undecided: Vec<State> = journal.undecided().expect("rows").iter().map(|row| row.state).collect();
    assert_eq!(undecided, [[State::Signed; 3].as_slice(), &[State::Sent; 3], &[State::Unknown; 4]].concat());
}

#[test]
fn a_failed_write_is_transient_and_leaves_the_journal_usable() {
    let dir = dir();
    let journal = open(&dir);
    journal.refuse_writes(true);
    let error = journal.insert_signed(&[signed(1)]).expect_err("a refusal");
    assert!(error.is_transient(), "{error}");
    journal.refuse_writes(false);
    assert_eq!(journal.insert_signed(&[signed(1)]).expect("written"), [true]);
}
