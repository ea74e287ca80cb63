//! Lists of users and API keys, as an operator's command reads them.

use serde_json::Value;

use super::responses::listed_keys;

/// A user of n8n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// n8n's identifier of it.
    pub id: String,
    /// Its e-mail address.
    pub email: String,
    /// Its first and last name.
    pub name: String,
    /// It was invited and has no password.
    pub is_pending: bool,
}

/// One part of the list of all users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// The users.
    pub list: Vec<Account>,
    /// Where the next part begins, if there is one.
    pub next: Option<String>,
}

/// An API key that the gate made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// n8n's identifier of it.
    pub id: String,
    /// Its label.
    pub label: String,
}

/// One part of the list of a user's API keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKeys {
    /// Those of the gate.
    pub of_gate: Vec<ListedKey>,
    /// How many keys the part has.
    pub listed: usize,
}

/// Reads a user of the public API. `None`: the response is none.
pub fn read_account(body: &[u8]) -> Option<Account> {
    account(&serde_json::from_slice(body).ok()?)
}

/// Reads a list of users of the public API. `None`: the response is none.
pub fn read_accounts(body: &[u8]) -> Option<Accounts> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let list = value.get("data")?.as_array()?;
    let list: Option<Vec<_>> = list.iter().map(account).collect();
    let next = value.get("nextCursor").and_then(Value::as_str);
    Some(Accounts {
        list: list?,
        next: next.map(str::to_owned),
    })
}

/// Reads a list of a user's API keys. `None`: the response is none.
pub fn read_own_keys(body: &[u8], label: &str) -> Option<OwnKeys> {
    let list = listed_keys(body)?;
    let mut of_gate = Vec::new();
    for key in &list {
        let own = key.get("label")?.as_str()?;
        if own.starts_with(label) {
            of_gate.push(ListedKey {
                id: key.get("id")?.as_str()?.to_owned(),
                label: own.to_owned(),
            });
        }
    }
    Some(OwnKeys {
        of_gate,
        listed: list.len(),
    })
}

fn account(value: &Value) -> Option<Account> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    // A user that is invited has no name yet.
    let names = ["firstName", "lastName"].map(|name| text(name).unwrap_or_default());
    Some(Account {
        id: text("id")?.to_owned(),
        email: text("email")?.to_owned(),
        name: names.join(" ").trim().to_owned(),
        is_pending: value.get("isPending")?.as_bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_unless_it_is_invited() {
        let body = br#"{"id":"u","email":"a@b.example","firstName":"Client","lastName":"orders","isPending":false}"#;
        let user = read_account(body).unwrap();
        assert_eq!((&*user.id, &*user.name), ("u", "Client orders"));
        let body = br#"{"id":"u","email":"a@b.example","firstName":null,"isPending":true}"#;
        let user = read_account(body).unwrap();
        assert_eq!((&*user.name, user.is_pending), ("", true));
        for body in ["", "[]", "{}", r#"{"message":"not found"}"#] {
            assert_eq!(read_account(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_list_of_users_says_where_the_next_one_begins() {
        let user = r#"{"id":"u","email":"a@b.example","isPending":false}"#;
        let body = format!(r#"{{"data":[{user}],"nextCursor":"abc"}}"#);
        let all = read_accounts(body.as_bytes()).unwrap();
        assert_eq!((all.list.len(), all.next.as_deref()), (1, Some("abc")));
        let body = r#"{"data":[],"nextCursor":null}"#;
        assert_eq!(read_accounts(body.as_bytes()).unwrap().next, None);
        assert_eq!(read_accounts(br#"{"data":[{"id":"u"}]}"#), None);
    }

    #[test]
    fn only_keys_of_this_label_are_of_the_gate() {
        let items = r#"[{"id":"1","label":"gate 1"},{"id":"2","label":"my gate 2"}]"#;
        for data in [items.to_owned(), format!(r#"{{"items":{items}}}"#)] {
            let body = format!(r#"{{"data":{data}}}"#);
            let keys = read_own_keys(body.as_bytes(), "gate ").unwrap();
            assert_eq!(keys.listed, 2);
            let ids: Vec<_> = keys.of_gate.iter().map(|key| &*key.id).collect();
            assert_eq!(ids, ["1"]);
        }
        assert_eq!(read_own_keys(br#"{"data":[{"id":"1"}]}"#, "gate "), None);
        assert_eq!(read_own_keys(b"{}", "gate "), None);
    }
}
