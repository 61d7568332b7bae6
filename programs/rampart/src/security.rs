//! Whom to tell of a weakness: explorers read it from the program's bytes.
//!
//! It is the deployer's, as the address in `declare_id!` is: a team puts its own contacts here before it builds, and
//! `rampart deploy` says what the file that it deploys holds.
//!
//! # Source
//! The shape is that of <https://github.com/neodyme-labs/solana-security-txt>, version 1: keys and values, each ended by a
//! zero byte, between two marks.

const TEXT: &str = concat!(
    "=======BEGIN SECURITY.TXT V1=======\0",
    "name\0Rampart\0",
    "project_url\0none is named\0",
    "contacts\0other:none is named; whoever deploys puts theirs into programs/rampart/src/security.rs\0",
    "policy\0none is named\0",
    "preferred_languages\0en\0",
    "=======END SECURITY.TXT V1=======\0"
);

/// Bytes and no reference to them: a program can't have a static that has to be relocated.
#[used]
#[unsafe(no_mangle)]
pub static SECURITY_TXT: [u8; TEXT.len()] = match TEXT.as_bytes().first_chunk() {
    Some(bytes) => *bytes,
    None => panic!("the text is as long as itself"),
};
