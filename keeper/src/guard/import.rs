//! Reads what a multisig was given: the texts of [`export`](super::export), and what each instruction of them is.

use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use solana_sdk::instruction::{AccountMeta, Instruction};
use solana_sdk::message::Message;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Instructions with who pays for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// In their order.
    pub instructions: Vec<Instruction>,
    /// The payer of a message; of a lone instruction the first of its signers.
    pub payer: Option<Pubkey>,
}

/// Why a text can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Neither of both forms.
    #[error("`{0}..` is neither a message in base58 (Squads) nor an `InstructionData` in base64 (Realms)")]
    Form(String),
    /// A message of the other kind.
    #[error("the message takes addresses from lookup tables: only a message of the older kind can be read")]
    Versioned,
    /// An index that leads nowhere.
    #[error("the message names account {index}, and has {count}")]
    Index {
        /// What it names.
        index: u8,
        /// How many there are.
        count: usize,
    },
}

/// Reads one text, in whichever of the forms it is.
///
/// # Errors
/// All of [`ImportError`].
pub fn read(text: &str) -> Result<Imported, ImportError> {
    let text = text.trim();
    if let Some(instruction) = STANDARD.decode(text).ok().and_then(|bytes| instruction_data(&bytes)) {
        let payer = instruction.accounts.iter().find(|meta| meta.is_signer).map(|meta| meta.pubkey);
        return Ok(Imported { instructions: vec![instruction], payer });
    }
    let no_form = || ImportError::Form(text.chars().take(12).collect());
    let bytes = bs58::decode(text).into_vec().map_err(|_| no_form())?;
    // the first bit of a message tells that it has a version
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        return Err(ImportError::Versioned);
    }
    let message: Message = bincode::deserialize(&bytes).map_err(|_| no_form())?;
    if message.serialize() != bytes {
        return Err(no_form());
    }
    let instructions = message.instructions.iter().map(|compiled| {
        let at = |index: u8| {
            let count = message.account_keys.len();
            message.account_keys.get(usize::from(index)).copied().ok_or(ImportError::Index { index, count })
        };
        let meta = |index: &u8| {
            let place = usize::from(*index);
            let is_writable = message.is_maybe_writable_with_reserved_addresses(place, None::<&HashSet<Pubkey>>);
            Ok(AccountMeta { pubkey: at(*index)?, is_signer: message.is_signer(place), is_writable })
        };
        let accounts = compiled.accounts.iter().map(meta).collect::<Result<_, ImportError>>()?;
        Ok(Instruction { program_id: at(compiled.program_id_index)?, accounts, data: compiled.data.clone() })
    });
    Ok(Imported {
        instructions: instructions.collect::<Result<_, ImportError>>()?,
        payer: message.account_keys.first().copied(),
    })
}

/// Reads Borsh: program, list of (key, is signer, is writable), bytes; nothing may be left over.
fn instruction_data(bytes: &[u8]) -> Option<Instruction> {
    let mut rest = bytes;
    let program_id = key(&mut rest)?;
    let count = length(&mut rest)?;
    let mut accounts = Vec::new();
    for _ in 0..count {
        let (pubkey, flags) = (key(&mut rest)?, take(&mut rest, 2)?);
        let [is_signer, is_writable] = [flag(flags[0])?, flag(flags[1])?];
        accounts.push(AccountMeta { pubkey, is_signer, is_writable });
    }
    let size = length(&mut rest)?;
    let data = take(&mut rest, size)?.to_vec();
    rest.is_empty().then_some(Instruction { program_id, accounts, data })
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn key(rest: &mut &[u8]) -> Option<Pubkey> {
    Pubkey::try_from(take(rest, 32)?).ok()
}

fn length(rest: &mut &[u8]) -> Option<usize> {
    let bytes = take(rest, 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

const fn flag(byte: u8) -> Option<bool> {
    match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Interface {
    instructions: Vec<Described>,
}

#[derive(Deserialize)]
struct Described {
    name: String,
    #[serde(default)]
    docs: Vec<String>,
    discriminator: Vec<u8>,
}

static INTERFACE: LazyLock<Vec<Described>> = LazyLock::new(|| {
    let interface: Result<Interface, _> = serde_json::from_str(include_str!("../../../artifacts/rampart.json"));
    // CANNOT fail: a test reads the file that ships
    interface.map_or_else(|_| Vec::new(), |interface| interface.instructions)
});

/// Says what an instruction is: by the interface where it is Rampart's, by the program where that is well known; nothing else is
/// guessed at.
pub fn described(instruction: &Instruction) -> String {
    let Instruction { program_id, data, .. } = instruction;
    if *program_id == rampart::ID {
        let found = INTERFACE.iter().find(|one| data.starts_with(&one.discriminator));
        return found.map_or_else(
            || "an instruction of Rampart that this build doesn't know: don't sign it".into(),
            |one| format!("{}: {}", one.name, one.docs.first().map_or("", |line| line.as_str())),
        );
    }
    if *program_id == super::memo::MEMO {
        return format!("a note: `{}`", String::from_utf8_lossy(data).escape_default());
    }
    format!("an instruction of program {program_id}, which Rampart can't read")
}

#[cfg(test)]
mod tests {
    use super::super::export;
    use super::*;

    fn act() -> Vec<Instruction> {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        let meta = |byte, is_signer, is_writable| AccountMeta { pubkey: key(byte), is_signer, is_writable };
        let of = |program_id, accounts, data: &[u8]| Instruction { program_id, accounts, data: data.to_vec() };
        let veto = &INTERFACE.iter().find(|one| one.name == "veto_change").expect("it is there").discriminator;
        vec![
            of(rampart::ID, vec![meta(1, true, true), meta(2, false, true), meta(3, false, false)], veto),
            of(key(9), vec![meta(1, true, true), meta(3, false, false)], &[7]),
        ]
    }

    #[test]
    fn both_forms_are_read_back_as_they_were_written() {
        let (act, vault) = (act(), Pubkey::new_from_array([1; 32]));
        let squads = read(&export::squads(&act, &vault)).expect("a message");
        assert_eq!(squads, Imported { instructions: act.clone(), payer: Some(vault) });
        for instruction in act {
            let realms = read(&export::realms(&instruction)).expect("an instruction");
            assert_eq!(realms, Imported { instructions: vec![instruction], payer: Some(vault) });
        }
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        let whole = STANDARD.decode(export::realms(&act()[0])).expect("base64");
        for length in 0..whole.len() {
            assert_eq!(instruction_data(&whole[..length]), None, "{length}");
        }
        assert_eq!(instruction_data(&[&whole[..], &[0]].concat()), None);
        let odd = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] = 2;
            instruction_data(&bytes)
        };
        assert_eq!((odd(68), odd(69)), (None, None), "flags are 0 or 1");
        let longer = bs58::decode(export::squads(&act(), &Pubkey::new_from_array([1; 32]))).into_vec().expect("base58");
        let longer = bs58::encode([&longer[..], &[0]].concat()).into_string();
        assert!(matches!(read(&longer), Err(ImportError::Form(_))));
        assert!(matches!(read("nonsense!"), Err(ImportError::Form(begin)) if begin == "nonsense!"));
        assert!(matches!(read(&bs58::encode([0x80, 1]).into_string()), Err(ImportError::Versioned)));
    }

    #[test]
    fn instructions_are_described_and_none_is_guessed() {
        let all = act();
        assert!(described(&all[0]).starts_with("veto_change: "), "{}", described(&all[0]));
        assert!(described(&all[1]).ends_with("which Rampart can't read"));
        let unknown = Instruction { data: vec![0; 8], ..all[0].clone() };
        assert!(described(&unknown).ends_with("don't sign it"));
    }
}
