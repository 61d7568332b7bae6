//! Mints and token accounts, made by the token programs themselves.

use crate::world::World;
use anchor_spl::token_interface::spl_token_2022::extension::{
    BaseStateWithExtensions, ExtensionType, StateWithExtensions,
};
use anchor_spl::token_interface::spl_token_2022::instruction as token;
use anchor_spl::token_interface::spl_token_2022::state::{Account as AccountState, Mint as MintState};
use rampart_client::{MintOf, Pubkey};
use solana_sdk::signer::Signer;

/// Bytes of a mint without extensions.
const MINT_LEN: u64 = 82;
/// Bytes of a token account without extensions.
pub const ACCOUNT_LEN: u64 = 165;
/// Bytes of a token account with the extension that fixes its owner: a byte of kind, and four of an empty entry.
const FIXED_OWNER_LEN: u64 = ACCOUNT_LEN + 5;

impl World {
    /// Creates a plain mint under `token_program`, whose authority is the world's payer.
    pub fn create_mint(&mut self, token_program: Pubkey, decimals: u8) -> MintOf {
        self.create_mint_with(token_program, decimals, MINT_LEN, |_, _| vec![])
    }

    /// As [`World::create_mint`], with `len` bytes and what `extend(mint, authority)` does before the mint is initialised.
    pub fn create_mint_with(
        &mut self,
        token_program: Pubkey,
        decimals: u8,
        len: u64,
        extend: impl FnOnce(&Pubkey, &Pubkey) -> Vec<rampart_client::Instruction>,
    ) -> MintOf {
        self.create_mint_of(token_program, decimals, len, None, extend)
    }

    /// As [`World::create_mint_with`], with a key that may freeze accounts.
    pub fn create_mint_of(
        &mut self,
        token_program: Pubkey,
        decimals: u8,
        len: u64,
        freeze_authority: Option<Pubkey>,
        extend: impl FnOnce(&Pubkey, &Pubkey) -> Vec<rampart_client::Instruction>,
    ) -> MintOf {
        let mint = self.new_key();
        let authority = self.payer.pubkey();
        let mut instructions = vec![self.create_account_ix(&mint.pubkey(), len, token_program)];
        instructions.extend(extend(&mint.pubkey(), &authority));
        let freeze = freeze_authority.as_ref();
        let init =
            token::initialize_mint2(&token_program, &mint.pubkey(), &authority, freeze, decimals).expect("valid mint");
        instructions.push(init);
        self.send(&instructions, &[&mint]).expect("mint is created");
        MintOf { mint: mint.pubkey(), token_program }
    }

    /// Creates a token account of `owner` that holds `amount`.
    pub fn create_token_account(&mut self, mint: MintOf, owner: Pubkey, amount: u64) -> Pubkey {
        let account = self.new_key();
        let create = self.create_account_ix(&account.pubkey(), self.account_len(mint), mint.token_program);
        let init = token::initialize_account3(&mint.token_program, &account.pubkey(), &mint.mint, &owner)
            .expect("valid account");
        self.send(&[create, init], &[&account]).expect("token account is created");
        if amount > 0 {
            self.mint_to(mint, account.pubkey(), amount);
        }
        account.pubkey()
    }

    /// Bytes of a token account of `mint`: its extensions may ask for others in the account.
    pub fn account_len(&self, mint: MintOf) -> u64 {
        let data = self.svm.get_account(&mint.mint).expect("mint exists").data;
        if data.len() as u64 == MINT_LEN {
            return ACCOUNT_LEN;
        }
        let state = StateWithExtensions::<MintState>::unpack(&data).expect("a mint");
        let types = state.get_extension_types().expect("known extensions");
        let required = ExtensionType::get_required_init_account_extensions(&types);
        ExtensionType::try_calculate_account_len::<AccountState>(&required).expect("a length") as u64
    }

    /// As [`World::create_token_account`], with Token-2022's extension that fixes the owner.
    pub fn create_fixed_owner_account(&mut self, mint: MintOf, owner: Pubkey, amount: u64) -> Pubkey {
        let account = self.new_key();
        let (key, program) = (account.pubkey(), mint.token_program);
        let instructions = [
            self.create_account_ix(&key, FIXED_OWNER_LEN, program),
            token::initialize_immutable_owner(&program, &key).expect("valid account"),
            token::initialize_account3(&program, &key, &mint.mint, &owner).expect("valid account"),
        ];
        self.send(&instructions, &[&account]).expect("token account is created");
        self.mint_to(mint, key, amount);
        key
    }

    /// Mints `amount` to `account`.
    pub fn mint_to(&mut self, mint: MintOf, account: Pubkey, amount: u64) {
        let authority = self.payer.pubkey();
        let ix =
            token::mint_to(&mint.token_program, &mint.mint, &account, &authority, &[], amount).expect("valid mint");
        self.send(&[ix], &[]).expect("tokens are minted");
    }

    /// Returns the balance of a token account.
    pub fn balance(&self, account: &Pubkey) -> u64 {
        let data = self.svm.get_account(account).expect("token account exists").data;
        u64::from_le_bytes(data[64..72].try_into().expect("eight bytes"))
    }

    /// Writes the balance of a token account, as no instruction would: the supply stays what it was.
    pub fn set_balance(&mut self, account: &Pubkey, amount: u64) {
        let mut held = self.svm.get_account(account).expect("token account exists");
        held.data[64..72].copy_from_slice(&amount.to_le_bytes());
        self.svm.set_account(*account, held).expect("account is written");
    }

    /// Returns the instruction that creates a rent-exempt account.
    pub(crate) fn create_account_ix(&self, address: &Pubkey, len: u64, owner: Pubkey) -> rampart_client::Instruction {
        let lamports = self.svm.minimum_balance_for_rent_exemption(len as usize);
        anchor_lang::solana_program::system_instruction::create_account(
            &self.payer.pubkey(),
            address,
            lamports,
            len,
            &owner,
        )
    }
}
