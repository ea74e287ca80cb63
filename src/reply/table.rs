//! The macro behind the table of refusals in [`reason`](super::reason).

/// Declares [`Reason`](super::Reason) and all that follows from one row: the code, the status, the
/// challenge, what the caller reads, what the operator reads, what to do, and an example.
///
/// A row of `own` declares a variant with its data. A row below a type of faults names a variant of
/// that type, which a lower floor declares. Each column becomes a match over all variants, so that
/// a variant without a row does not compile, and the module for Envoy holds only the columns that
/// it uses.
macro_rules! refusals {
    (
        $(#[$enum_doc:meta])*
        own {
            $(
                $(#[$doc:meta])*
                $variant:ident $( ( $data:ty ) )? $( {
                    $( $(#[$field_doc:meta])* $field:ident : $field_type:ty, )+
                } )? => {
                    status: $status:literal,
                    challenge: $challenge:expr,
                    code: $code:literal,
                    detail: $detail:literal,
                    meaning: $meaning:literal,
                    remedy: $remedy:literal,
                    $( example: $example:expr, )?
                }
            )+
        }
        $(
            $(#[$outer_doc:meta])*
            $outer:ident($fault:ident) {
                $(
                    $inner:ident $( ( $inner_example:expr ) )? $( {
                        $inner_field:ident : $inner_value:expr
                    } )? => {
                        status: $inner_status:literal,
                        challenge: $inner_challenge:expr,
                        code: $inner_code:literal,
                        detail: $inner_detail:literal,
                        meaning: $inner_meaning:literal,
                        remedy: $inner_remedy:literal,
                    }
                )+
            }
        )+
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Reason {
            $(
                $(#[$doc])*
                $variant $( ($data) )? $( { $( $(#[$field_doc])* $field: $field_type, )+ } )?,
            )+
            $(
                $(#[$outer_doc])*
                $outer($fault),
            )+
        }

        impl Reason {
            refusals! { @column
                /// The stable code: in the response, the audit record and the metrics.
                as_str -> &'static str;
                own { $( $variant => $code; )+ }
                $( $outer($fault) { $( $inner => $inner_code; )+ } )+
            }

            refusals! { @column
                /// The status of the response.
                status -> u16;
                own { $( $variant => $status; )+ }
                $( $outer($fault) { $( $inner => $inner_status; )+ } )+
            }

            refusals! { @column
                /// What `WWW-Authenticate` says.
                challenge -> Challenge;
                own { $( $variant => $challenge; )+ }
                $( $outer($fault) { $( $inner => $inner_challenge; )+ } )+
            }

            refusals! { @column
                /// The sentence for the caller: what to do, and nothing that an attacker could use.
                detail -> &'static str;
                own { $( $variant => $detail; )+ }
                $( $outer($fault) { $( $inner => $inner_detail; )+ } )+
            }

            refusals! { @column
                /// What it means, for the operator.
                meaning -> &'static str;
                own { $( $variant => $meaning; )+ }
                $( $outer($fault) { $( $inner => $inner_meaning; )+ } )+
            }

            refusals! { @column
                /// What the operator can do, where the refusal was not wanted.
                remedy -> &'static str;
                own { $( $variant => $remedy; )+ }
                $( $outer($fault) { $( $inner => $inner_remedy; )+ } )+
            }

            /// One example of every reason, in the order of the table.
            pub fn examples() -> Vec<Self> {
                vec![
                    $( refusals!(@example $variant $( $example )?), )+
                    $( $(
                        Self::$outer($fault::$inner
                            $( ($inner_example) )?
                            $( { $inner_field: $inner_value } )?
                        ),
                    )+ )+
                ]
            }
        }
    };

    (@column
        $(#[$doc:meta])*
        $name:ident -> $type:ty;
        own { $( $variant:ident => $value:expr; )+ }
        $( $outer:ident($fault:ident) { $( $inner:ident => $inner_value:expr; )+ } )+
    ) => {
        $(#[$doc])*
        pub const fn $name(&self) -> $type {
            match self {
                $( Self::$variant { .. } => $value, )+
                $( Self::$outer(fault) => match fault {
                    $( $fault::$inner { .. } => $inner_value, )+
                }, )+
            }
        }
    };

    (@example $variant:ident) => { Self::$variant };
    (@example $variant:ident $example:expr) => { $example };
}

pub(super) use refusals;
