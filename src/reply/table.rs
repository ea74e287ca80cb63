//! The macros behind the tables of refusals in [`reason`](super::reason).
//!
//! Each column becomes a match over all variants, so that a variant without a row does not compile,
//! and the module for Envoy holds only the columns that it uses.

/// Declares [`Reason`](super::Reason) and all that follows from one row: the code, the status, the
/// challenge, what the caller reads, what the operator reads, what to do, and an example.
///
/// `tables` names the macros that hold the rows: one for each family, in the order of the examples. A
/// row declares a variant with its data. `faults` are variants whose rows stand below a type of a lower
/// floor, in a module with [`faults`].
macro_rules! refusals {
    (
        $(#[$enum_doc:meta])*
        tables { $first:ident $($table:ident)* }
        faults { $($faults:tt)* }
    ) => {
        $first! { refusals {} [$($table)*] [$(#[$enum_doc])*] [$($faults)*] }
    };

    // Goes on to the next table, with the rows of those before it.
    ({ $($rows:tt)* } [$next:ident $($table:ident)*] $($rest:tt)*) => {
        $next! { refusals { $($rows)* } [$($table)*] $($rest)* }
    };

    // All rows are there.
    (
        {$(
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
        )+}
        []
        [$(#[$enum_doc:meta])*]
        [$(
            $(#[$outer_doc:meta])*
            $outer:ident($fault:ident) in $module:ident,
        )+]
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
                faults { $( $outer in $module )+ }
            }

            refusals! { @column
                /// The status of the response.
                status -> u16;
                own { $( $variant => $status; )+ }
                faults { $( $outer in $module )+ }
            }

            refusals! { @column
                /// What `WWW-Authenticate` says.
                challenge -> Challenge;
                own { $( $variant => $challenge; )+ }
                faults { $( $outer in $module )+ }
            }

            refusals! { @column
                /// The sentence for the caller: what to do, and nothing that an attacker could use.
                detail -> &'static str;
                own { $( $variant => $detail; )+ }
                faults { $( $outer in $module )+ }
            }

            refusals! { @column
                /// What it means, for the operator.
                meaning -> &'static str;
                own { $( $variant => $meaning; )+ }
                faults { $( $outer in $module )+ }
            }

            refusals! { @column
                /// What the operator can do, where the refusal was not wanted.
                remedy -> &'static str;
                own { $( $variant => $remedy; )+ }
                faults { $( $outer in $module )+ }
            }

            /// One example of every reason, in the order of the tables.
            pub fn examples() -> Vec<Self> {
                let mut examples = vec![
                    $( refusals!(@example $variant $( $example )?), )+
                ];
                $( examples.extend($module::examples().into_iter().map(Self::$outer)); )+
                examples
            }
        }
    };

    (@column
        $(#[$doc:meta])*
        $name:ident -> $type:ty;
        own { $( $variant:ident => $value:expr; )+ }
        faults { $( $outer:ident in $module:ident )+ }
    ) => {
        $(#[$doc])*
        pub const fn $name(&self) -> $type {
            match self {
                $( Self::$variant { .. } => $value, )+
                $( Self::$outer(fault) => $module::$name(fault), )+
            }
        }
    };

    (@example $variant:ident) => { Self::$variant };
    (@example $variant:ident $example:expr) => { $example };
}

/// The columns of a table whose rows are the variants of one type of faults.
macro_rules! faults {
    (
        $fault:ident {
            $(
                $variant:ident $( ( $example:expr ) )? $( { $field:ident : $value:expr } )? => {
                    status: $status:literal,
                    challenge: $challenge:expr,
                    code: $code:literal,
                    detail: $detail:literal,
                    meaning: $meaning:literal,
                    remedy: $remedy:literal,
                }
            )+
        }
    ) => {
        faults! { @column as_str($fault) -> &'static str; $( $variant => $code; )+ }
        faults! { @column status($fault) -> u16; $( $variant => $status; )+ }
        faults! { @column challenge($fault) -> Challenge; $( $variant => $challenge; )+ }
        faults! { @column detail($fault) -> &'static str; $( $variant => $detail; )+ }
        faults! { @column meaning($fault) -> &'static str; $( $variant => $meaning; )+ }
        faults! { @column remedy($fault) -> &'static str; $( $variant => $remedy; )+ }

        pub(super) fn examples() -> Vec<$fault> {
            vec![$( $fault::$variant $( ($example) )? $( { $field: $value } )?, )+]
        }
    };

    (@column $name:ident($fault:ident) -> $type:ty; $( $variant:ident => $value:expr; )+) => {
        pub(super) const fn $name(fault: &$fault) -> $type {
            match fault {
                $( $fault::$variant { .. } => $value, )+
            }
        }
    };
}

pub(super) use {faults, refusals};
