//! Where a provider puts claims, if not where its dialect reads them.

use super::claim_path::ClaimPaths;
use super::field::Field;
use super::raw::RawClaimsAt;
use crate::identity::{ClaimPath, ClaimsAt, IdentityPart};

/// Claims that people may write about themselves at many providers.
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

/// Where claims are. `None`: it is wrong, and was reported.
pub(super) fn claims_at(field: Field<RawClaimsAt>, trust_email: Option<bool>) -> Option<ClaimsAt> {
    let Some(raw) = field.value_or_error().ok()? else {
        return Some(ClaimsAt::default());
    };
    if raw.email.given && trust_email == Some(false) {
        raw.email.error(
            "never counts without trust_email: `email_verified` is about `email` alone",
            "add trust_email: true, if each address there is known to belong to its user",
        );
    }
    let fields = [
        (IdentityPart::Client, raw.client),
        (IdentityPart::Email, raw.email),
        (IdentityPart::Groups, raw.groups),
        (IdentityPart::Roles, raw.roles),
        (IdentityPart::Scopes, raw.scopes),
        (IdentityPart::Tenant, raw.tenant),
    ];
    let mut at = ClaimsAt::default();
    for (what, field) in fields {
        let Field { path, value, .. } = field;
        let Some(ClaimPaths(paths)) = value else {
            continue;
        };
        // What is granted, and what principals match, must not be what people write about themselves.
        if what != IdentityPart::Email && paths.iter().any(is_of_a_profile) {
            path.warn(
                "is a claim that people may write about themselves at many providers",
                "name a claim that only the provider writes",
            );
        }
        at.0.extend(paths.into_iter().map(|path| (what, path)));
    }
    Some(at)
}

fn is_of_a_profile(path: &ClaimPath) -> bool {
    path.first()
        .is_some_and(|name| OF_A_PROFILE.contains(&name))
}
