//! Reads the program's accounts from the chain.

use crate::error::{DemoError, Outcome};
use crate::network::Network;
use anchor_lang::ZeroCopy;
use rampart_client::Pubkey;

/// Decodes an account of the program.
///
/// # Errors
/// [`DemoError::Account`] for another kind of account, or one that is too short.
pub fn decode<T: ZeroCopy>(address: &Pubkey, data: &[u8]) -> Outcome<T> {
    let wrong = |problem: &str| DemoError::Account { what: address.to_string(), problem: problem.to_owned() };
    let body = data.strip_prefix(T::DISCRIMINATOR).ok_or_else(|| wrong("another kind of account"))?;
    let body = body.get(..size_of::<T>()).ok_or_else(|| wrong("too short"))?;
    Ok(bytemuck::pod_read_unaligned(body))
}

/// Reads one account of the program.
///
/// # Errors
/// Those of [`read_all`].
pub async fn read<T: ZeroCopy>(network: &Network, address: &Pubkey) -> Outcome<T> {
    let mut all = read_all(network, std::slice::from_ref(address)).await?;
    Ok(all.remove(0))
}

/// Reads accounts of one kind.
///
/// # Errors
/// [`DemoError::Account`] where one is missing or another kind, and the network's.
pub async fn read_all<T: ZeroCopy>(network: &Network, addresses: &[Pubkey]) -> Outcome<Vec<T>> {
    let found = network.accounts(addresses).await?;
    let missing =
        |address: &Pubkey| DemoError::Account { what: address.to_string(), problem: "there is none".to_owned() };
    let pairs = addresses.iter().zip(found);
    pairs.map(|(address, account)| decode(address, &account.ok_or_else(|| missing(address))?.data)).collect()
}
