//! What stands on a chain of a program, as of one answer.

use super::image::Image;
use crate::chain::rpc::{Rpc, RpcError};
use crate::takeover::{HEADER_LEN, LOADER, decode};
use crate::watch::Update;
use solana_loader_v3_interface::get_program_data_address;
use solana_loader_v3_interface::state::UpgradeableLoaderState as Loader;
use solana_sdk::pubkey::{Pubkey, PubkeyError};
use std::time::Duration;

/// First bytes of an account that bytes are gathered in, and of a program.
const BUFFER: u32 = 1;
const PROGRAM: u32 = 2;
/// A seed's greatest length.
const SEED_LEN: usize = 32;
/// How often a node that lags is asked, and how long between.
const ASKS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Where a program is deployed to, and from which address its bytes come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The program.
    pub program: Pubkey,
    /// The account that holds its code.
    pub data: Pubkey,
    /// The account that bytes are gathered in.
    pub buffer: Pubkey,
    /// What the buffer's address is derived from, with the payer's and the loader's.
    pub seed: String,
}

impl Site {
    /// The site of `program` for `image`, paid by `payer`.
    ///
    /// # Errors
    /// None: the seed is short and the loader's address no derived one.
    pub fn of(program: Pubkey, image: &Image, payer: &Pubkey) -> Result<Self, PubkeyError> {
        let seed = image.sha256[..SEED_LEN].to_owned();
        let buffer = Pubkey::create_with_seed(payer, &seed, &LOADER)?;
        Ok(Self { program, data: get_program_data_address(&program), buffer, seed })
    }
}

/// A deployed program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Who may replace it; nobody where it is final.
    pub authority: Option<Pubkey>,
    /// Slot of its last deployment.
    pub slot: u64,
    /// Its code, with the room behind it.
    pub code: Vec<u8>,
}

/// What is at the program's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing but perhaps lamports, which anybody may send there.
    Free(u64),
    /// The program.
    Deployed(Deployed),
    /// Something else, and what.
    Taken(String),
}

/// What is at the buffer's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// Nothing but perhaps lamports.
    Absent(u64),
    /// The buffer.
    Ready {
        /// Who may write to it and deploy from it.
        authority: Option<Pubkey>,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Something else, and what.
    Taken(String),
}

/// What stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// At the program's address.
    pub place: Place,
    /// At the buffer's.
    pub buffer: Buffer,
    /// What the payer holds, lamports.
    pub payer_lamports: u64,
    /// The slot that this is of.
    pub slot: u64,
}

impl Standing {
    /// Asks the chain until the answer is of `slot` or a later one.
    ///
    /// # Errors
    /// Those of the endpoint; `Behind` where it stays behind.
    pub async fn read(rpc: &Rpc, site: &Site, payer: &Pubkey, slot: u64) -> Result<Self, RpcError> {
        let mut seen = 0;
        for _ in 0..ASKS {
            let listing = rpc.accounts(&[site.program, site.data, site.buffer, *payer]).await?;
            if let (true, [program, data, buffer, payer]) = (listing.slot >= slot, listing.updates.as_slice()) {
                let (place, buffer) = (place(program, data, &site.data), buffer_of(buffer));
                return Ok(Self { place, buffer, payer_lamports: payer.lamports, slot: listing.slot });
            }
            seen = listing.slot;
            tokio::time::sleep(PAUSE).await;
        }
        Err(RpcError::Behind { slot: seen, lag: slot.saturating_sub(seen) })
    }

    /// Returns the program, where there is one.
    pub fn deployed(&self) -> Option<&Deployed> {
        match &self.place {
            Place::Deployed(deployed) => Some(deployed),
            _ => None,
        }
    }
}

fn is_empty(account: &Update) -> bool {
    account.is_absent() || (account.owner == Pubkey::default() && account.data.is_empty())
}

fn kind(account: &Update) -> Option<u32> {
    account.data.first_chunk().map(|head| u32::from_le_bytes(*head))
}

fn place(program: &Update, data: &Update, at: &Pubkey) -> Place {
    if is_empty(program) {
        return Place::Free(program.lamports);
    }
    let is_ours = program.owner == LOADER
        && kind(program) == Some(PROGRAM)
        && program.data.get(4..36).is_some_and(|bytes| bytes == at.as_ref());
    if !is_ours {
        return Place::Taken(format!("an account of {} that is no program of the upgradeable loader", program.owner));
    }
    match decode(&data.data).filter(|_| data.owner == LOADER) {
        Some((slot, authority)) => {
            Place::Deployed(Deployed { authority, slot, code: data.data[HEADER_LEN..].to_vec() })
        }
        None => Place::Taken("a program that was closed, whose address can't be used again".to_owned()),
    }
}

fn buffer_of(account: &Update) -> Buffer {
    if is_empty(account) {
        return Buffer::Absent(account.lamports);
    }
    let head = Loader::size_of_buffer_metadata();
    let authority = match account.data.get(4..head) {
        Some([0, ..]) => Some(None),
        Some([1, key @ ..]) => Pubkey::try_from(key).ok().map(Some),
        _ => None,
    };
    match authority.filter(|_| account.owner == LOADER && kind(account) == Some(BUFFER)) {
        Some(authority) => Buffer::Ready { authority, bytes: account.data[head..].to_vec() },
        None => Buffer::Taken(format!("an account of {} that is no buffer", account.owner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Origin;

    fn account(owner: Pubkey, lamports: u64, data: &[u8]) -> Update {
        let data = data.to_vec();
        Update { owner, lamports, data, ..Update::absent(Pubkey::new_unique(), 1, Origin::Poll) }
    }

    #[test]
    fn what_is_at_an_address_is_told_apart() {
        let [at, key] = [Pubkey::new_unique(), Pubkey::new_unique()];
        let program = account(LOADER, 1, &[&2u32.to_le_bytes()[..], at.as_ref()].concat());
        let head = [&3u32.to_le_bytes()[..], &7u64.to_le_bytes(), &[1], key.as_ref()].concat();
        let data = account(LOADER, 1, &[&head[..], &[9, 0]].concat());
        let deployed = Deployed { authority: Some(key), slot: 7, code: vec![9, 0] };
        assert_eq!(place(&program, &data, &at), Place::Deployed(deployed));
        assert!(matches!(place(&program, &data, &key), Place::Taken(what) if what.contains("is no program")));
        let gone = account(LOADER, 0, &[]);
        assert!(matches!(place(&program, &gone, &at), Place::Taken(what) if what.contains("was closed")));
        let sent = account(Pubkey::default(), 5, &[]);
        assert_eq!((place(&sent, &gone, &at), buffer_of(&sent)), (Place::Free(5), Buffer::Absent(5)));
        let buffer = account(LOADER, 1, &[&1u32.to_le_bytes()[..], &[1], key.as_ref(), &[4]].concat());
        assert_eq!(buffer_of(&buffer), Buffer::Ready { authority: Some(key), bytes: vec![4] });
        let fixed = account(LOADER, 1, &[&1u32.to_le_bytes()[..], &[0; 33], &[4]].concat());
        assert_eq!(buffer_of(&fixed), Buffer::Ready { authority: None, bytes: vec![4] });
        for other in [account(key, 1, &buffer.data), account(LOADER, 1, &data.data), account(LOADER, 1, &[1, 0])] {
            assert!(matches!(buffer_of(&other), Buffer::Taken(_)));
        }
    }
}
