//! What the gate asks n8n for itself: users, invitations, sessions and API keys.
//!
//! Only what n8n takes and sends is here, as version 2.41.1 has it. Users and invitations are made by
//! the public API, with an API key of the scopes `user:create` and `user:read`. A session and API keys
//! are had from the internal API, which the user interface calls.

mod lists;
mod requests;
mod responses;

pub use lists::{
    read_account, read_accounts, read_own_keys, Account, Accounts, ListedKey, OwnKeys,
};
pub use requests::{
    accept_body, accounts_path, delete_key_path, invite_body, key_body, login_body, logout_path,
    name_body, own_keys_path, AccountPaths, NewKey, LABEL, MAX_LABEL, MAX_NAME, MEMBER,
};
pub use responses::{
    read_expired_keys, read_grantable, read_invited, read_login_fault, read_names, read_new_key,
    read_user, session_cookie, AccountState, Invited, LoginFault, MintedKey,
};
