//! `rotate`: a new key beside the old one.

use crate::desk::{good, key_of_reports, listed, raw_key, Desk};

#[test]
fn a_new_key_stands_beside_the_old_one_until_it_is_used() {
    let old = key_of_reports();
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let desk = Desk::new(good(std::slice::from_ref(&old), &[])).with_file(&text);
    let rotate = ["rotate", "gate.json", "reports", "--env-file", "keys.env"];
    desk.succeeds(
        &rotate,
        &[
            "made the API key n8n-idp-gate:reports#2",
            "provision rotate CONFIG reports --finish",
        ],
    );
    assert_eq!(desk.changes(), ["POST /rest/api-keys"]);
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "newk"));
    assert_eq!(desk.text(), text);

    let both = |used| {
        [
            old.clone(),
            listed(
                "k2",
                "n8n-idp-gate:reports#2",
                "newk",
                &["workflow:list"],
                used,
            ),
        ]
    };
    let finish = [&rotate[..], &["--finish"]].concat();
    let unused = Desk::new(good(&both(false), &[])).with_file(&text);
    unused.fails(&rotate, &["replaces n8n-idp-gate:reports already"]);
    unused.fails(&finish, &["n8n has not seen n8n-idp-gate:reports#2 used"]);
    unused.changed_nothing();
    unused.succeeds(
        &[&finish[..], &["--unused"]].concat(),
        &["deleted the API key n8n-idp-gate:reports\n"],
    );
    assert_eq!(unused.changes(), ["DELETE /rest/api-keys/k1"]);

    let used = Desk::new(good(&both(true), &[])).with_file(&text);
    used.succeeds(
        &[&finish[..], &["--dry-run"]].concat(),
        &["would delete the API key n8n-idp-gate:reports\n"],
    );
    used.changed_nothing();
    used.succeeds(&finish, &[]);
    assert_eq!(used.changes(), ["DELETE /rest/api-keys/k1"]);
    // The file of an operator who did not take the new key.
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let late = Desk::new(good(&both(true), &[])).with_file(&text);
    late.fails(&finish, &["the old key may still be in use"]);
    late.changed_nothing();
}
