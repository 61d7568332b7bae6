//! Facts that the program emitted by self-CPI.

use anchor_lang::event::EVENT_IX_TAG_LE;
use anchor_lang::{AnchorDeserialize, Discriminator};
use litesvm::types::TransactionMetadata;

/// Returns the facts of one kind that a landed transaction emitted by self-CPI, in order.
pub fn emitted<E: AnchorDeserialize + Discriminator>(landed: &TransactionMetadata) -> Vec<E> {
    let inner = landed.inner_instructions.iter().flatten();
    inner
        .filter_map(|called| called.instruction.data.strip_prefix(EVENT_IX_TAG_LE)?.strip_prefix(E::DISCRIMINATOR))
        .map(|fields| E::try_from_slice(fields).expect("fields of the event"))
        .collect()
}

/// Returns the one fact of its kind that a landed transaction emitted by self-CPI.
///
/// # Panics
/// If there are none or several.
#[track_caller]
pub fn the_one<E: AnchorDeserialize + Discriminator>(landed: &TransactionMetadata) -> E {
    let mut all = emitted::<E>(landed);
    assert_eq!(all.len(), 1, "one fact of its kind");
    all.remove(0)
}

/// Returns the one fact of its kind that a landed transaction wrote to its log.
///
/// # Panics
/// If there are none or several.
#[track_caller]
pub fn the_one_logged<E: AnchorDeserialize + Discriminator>(landed: &TransactionMetadata) -> E {
    let data = landed.logs.iter().filter_map(|line| line.strip_prefix("Program data: "));
    let mut all: Vec<E> = data
        .map(decode_base64)
        .filter_map(|bytes| E::try_from_slice(bytes.strip_prefix(E::DISCRIMINATOR)?).ok())
        .collect();
    assert_eq!(all.len(), 1, "one fact of its kind");
    all.remove(0)
}

/// Decodes standard base64: all that a log line holds.
fn decode_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0u32, 0u32, vec![]);
    for value in text.bytes().filter_map(|c| ALPHABET.iter().position(|a| *a == c)) {
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
