//! Where the values of keys are kept.

use std::fs::File;

use serde_json::json;

use crate::desk::{good, key_of_reports, raw_key, Desk};

#[test]
fn a_key_that_cannot_be_kept_is_not_left_in_n8n() {
    let desk = Desk::new(good(&[], &[]));
    desk.fails(
        &["gate.json", "--env-file", "none/keys.env"],
        &["cannot be written"],
    );
    assert_eq!(desk.requests(), Vec::<String>::new());

    let mut desk = Desk::new(good(&[], &[]));
    desk.stdout = Some(File::options().write(true).open("/dev/full").unwrap());
    let secret = ["gate.json", "--kubernetes-secret", "n8n-keys"];
    desk.fails(&secret, &["k-new could not be kept, and was deleted again"]);
    let make = "POST /rest/api-keys";
    let delete = "DELETE /rest/api-keys/k-new";
    assert_eq!(desk.changes(), [make, make, delete, delete]);

    let fault = ("DELETE /rest/api-keys/", 500, json!({"message": "no"}));
    let mut desk = Desk::new(good(&[], &[fault]));
    desk.stdout = Some(File::options().write(true).open("/dev/full").unwrap());
    desk.fails(
        &secret,
        &["k-new could not be kept, and is still in n8n: delete it"],
    );

    Desk::new(Vec::new()).fails(
        &["gate.json"],
        &["--env-file FILE, --kubernetes-secret NAME or --dry-run"],
    );
}

#[test]
fn a_secret_of_kubernetes_has_all_variables() {
    let secret = [
        "gate.json",
        "--kubernetes-secret",
        "n8n-keys",
        "--namespace",
        "istio",
    ];
    let desk = Desk::new(good(&[], &[]));
    let (is_good, out, err) = desk.run(&secret);
    assert!(is_good, "{err}");
    let key = raw_key("u-1", "newk");
    let expected = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: n8n-keys\n  namespace: istio\ntype: Opaque\n\
         stringData:\n  N8N_KEY_REPORTS: \"{key}\"\n  N8N_KEY_ORDERS: \"{key}\"\n"
    );
    assert_eq!(out, expected);
    assert!(err.contains("N8N_KEY_REPORTS: made the API key"), "{err}");

    // Without the value of a key that exists, the Secret would delete it.
    let keys = [key_of_reports()];
    let desk = Desk::new(good(&keys, &[]));
    assert_eq!(desk.fails(&secret, &["Nothing was made"]), "");
    desk.changed_nothing();
    desk.fails(
        &[
            "add",
            "gate.json",
            "orders",
            "--kubernetes-secret",
            "n8n-keys",
        ],
        &["would be without N8N_KEY_REPORTS"],
    );
    assert_eq!(desk.requests(), Vec::<String>::new());
    desk.fails(
        &["gate.json", "--kubernetes-secret", "a: b"],
        &["a name of Kubernetes"],
    );
}
