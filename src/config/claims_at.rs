//! Where a provider puts claims, as it is written.
//!
//! One reader serves all of its fields, so they are not declared in `raw`.

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{is_present, Read};
use super::section::{link, Field, FieldReference, Members, Section};
use crate::identity::{ClaimPath, ClaimsAt, Placed};

/// Claims that people may fill in at many providers.
const OF_A_PROFILE: [&str; 17] = [
    "address",
    "birthdate",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "user_metadata",
    "username",
    "website",
    "zoneinfo",
];

const TITLE: &str = "providers[].claims_at";

impl Read for ClaimsAt {
    fn shape() -> String {
        link(TITLE)
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let mut at = Self::default();
        Members::open(value, path, &Placed::ALL.map(Placed::as_str))?;
        for (name, value) in value.as_object()? {
            let path = path.member(name);
            let what = Placed::ALL.into_iter().find(|what| what.as_str() == name);
            // What is not known was reported.
            if let Some(what) = what.filter(|_| is_present(value, &path)) {
                let paths = paths(value, &path, what).unwrap_or_default();
                at.0.extend(paths.into_iter().map(|path| (what, path)));
            }
        }
        if at.0.is_empty() && !path.has_errors() {
            path.error("says nothing", "say where claims are, or take it out");
        }
        (!path.has_errors()).then_some(at)
    }
}

/// One path, or a list of several. A list of names is one path, so that each of several is a list
/// of its own: `[[roles], [role]]`.
fn paths(value: &Value, path: &FieldPath, what: Placed) -> Option<Vec<ClaimPath>> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    let lists = items.iter().filter(|item| item.is_array()).count();
    let mut paths = Vec::new();
    if lists == 0 {
        let claim = ClaimPath::read(value, path)?;
        // Names without dots need no list, and a dot says what is meant.
        if items.len() > 1 && !claim.names().iter().any(|name| name.contains('.')) {
            path.warn(
                "is one claim within another",
                "write a dot between each two names if that is meant, or [[a], [b]] for several claims",
            );
        }
        paths.push(claim);
    } else if lists < items.len() {
        path.error(
            "has lists and other things side by side",
            "make each path a list of names, such as [[roles], [role]]",
        );
        return None;
    }
    for (index, item) in items.iter().enumerate().take(lists) {
        let path = path.item(index);
        let claim = ClaimPath::read(item, &path)?;
        if paths.contains(&claim) {
            path.error("is listed twice", "take one out");
        }
        paths.push(claim);
    }
    // What is granted, and what principals match, must not be what people write about themselves.
    let is_written = |path: &ClaimPath| {
        path.first()
            .is_some_and(|name| OF_A_PROFILE.contains(&name))
    };
    if what != Placed::Email && paths.iter().any(is_written) {
        path.warn(
            "is a claim that people may write about themselves at many providers",
            "point to a claim that the provider alone writes",
        );
    }
    Some(paths)
}

/// `None`: something is wrong, and was reported.
pub(super) fn claims_at(field: Field<ClaimsAt>, trust_email: Option<bool>) -> Option<ClaimsAt> {
    let path = field.path.clone();
    let at = field.value_or_error().ok()?.unwrap_or_default();
    if at.moves(Placed::Email) && trust_email == Some(false) {
        path.member(Placed::Email.as_str()).error(
            "never counts without trust_email: `email_verified` speaks of `email` alone",
            "add trust_email: true, if every address there is known to be its owner's",
        );
    }
    Some(at)
}

impl Section for ClaimsAt {
    const TITLE: &'static str = TITLE;
    const ABOUT: &'static str =
        " Where roles, groups and the like are, if elsewhere than where `type` looks. What is said \
        here replaces the places of `type`: nothing is read there any more. Choose claims that the \
        provider alone writes. A list of names is one path (`[https://example.com/roles]`), and a \
        list of such lists are several (`[[roles], [role]]`). Names of roles and groups are the \
        texts of an array, one text as it is (blanks and commas are part of the name), or the keys \
        of an object that have `true` or an object that is not empty. Everything else (numbers, \
        `null`, arrays and objects within an array) gives nothing.";

    fn fields() -> Vec<FieldReference> {
        let of = |what| {
            match what {
            Placed::Roles => ("where `type` has them", "Roles. With several paths, what is in any of them counts."),
            Placed::Groups => ("`groups`", "Groups. With several paths, what is in any of them counts."),
            Placed::Scopes => ("where `type` has them", "Scopes: an array, or one text with a space between each two. With several paths, what is in any of them counts. Not read in answers of userinfo."),
            Placed::Client => ("where `type` has it", "The client, a text. Of several paths, those that are there must agree. Not read in answers of userinfo."),
            Placed::Tenant => ("where `type` has it", "The tenant, a text. Of several paths, the first that is there."),
            Placed::Email => ("`email`", "The e-mail address. Of several paths, the first that is there. Needs `trust_email: true`, as `email_verified` speaks of `email` alone; where it says no, that holds for this address, too."),
        }
        };
        let field = |what: Placed| {
            let (absence, meaning) = of(what);
            FieldReference {
                name: what.as_str(),
                shape: format!("{}; or a list of such lists", ClaimPath::shape()),
                absence: absence.to_owned(),
                meaning,
            }
        };
        Placed::ALL.map(field).into()
    }
}
