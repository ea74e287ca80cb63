//! `n8n-idp-gate schema`: JSON Schemas for editors.

use std::io::Write;

use n8n_idp_gate::config::reference;

use crate::file::output::print;
use crate::policy_test::schema::SCHEMA;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Of what.
    #[arg(value_enum, default_value = "configuration")]
    of: Document,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Document {
    /// The configuration of the gate.
    Configuration,
    /// A file of policy tests.
    PolicyTests,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    match arguments.of {
        Document::Configuration => print(out, &reference::schema()),
        Document::PolicyTests => print(out, SCHEMA),
    }
}
