//! The signature algorithms that a token may use (RFC 7518 §3.1, RFC 8037 §3.1).

/// A signature algorithm of JWS. `none` and the HMAC family are not among them: they cannot be
/// said in a configuration and so never be allowed (RFC 8725 §3.1, §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256 and MGF1 of SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384 and MGF1 of SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512 and MGF1 of SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519: `EdDSA`, or `Ed25519` (RFC 9864 §2.2).
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The `alg` value. Case-sensitive (RFC 7515 §4.1.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The fully specified name of [`Self::EdDsa`], which no other curve is checked for here
    /// (RFC 9864 §2.2). The ECDSA names of JOSE say their curve already: `ESP256` and its like are
    /// names of COSE.
    pub const ED25519: &str = "Ed25519";

    /// Every name that [`Self::parse`] reads.
    pub fn names() -> Vec<&'static str> {
        let names = Self::ALL.into_iter().map(Self::as_str);
        names.chain([Self::ED25519]).collect()
    }

    /// Reads an `alg` value; `None` for everything that is not exactly a name of one of
    /// [`Self::ALL`].
    pub fn parse(name: &str) -> Option<Self> {
        if name == Self::ED25519 {
            return Some(Self::EdDsa);
        }
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// The name of a registered algorithm, as our own text: what stands in a token is the sender's.
    pub fn registered(name: &str) -> Option<&'static str> {
        const OTHERS: [&str; 9] = [
            "none",
            "HS256",
            "HS384",
            "HS512",
            "ES512",
            "ES256K",
            "Ed448",
            "ML-DSA-44",
            "ML-DSA-65",
        ];
        if name == Self::ED25519 {
            return Some(Self::ED25519);
        }
        let ours = Self::parse(name).map(Self::as_str);
        ours.or_else(|| OTHERS.into_iter().find(|known| *known == name))
    }
}
