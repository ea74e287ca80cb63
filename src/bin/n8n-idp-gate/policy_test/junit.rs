//! The report in the XML of `JUnit`, which CI systems read.

use std::io;

use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::Writer;

use super::Tested;

/// Writes the report.
pub(crate) fn report(tested: &[Tested]) -> Result<Vec<u8>, String> {
    write(tested).map_err(|error| error.to_string())
}

fn write(tested: &[Tested]) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .write_inner_content(|writer| {
            for file in tested {
                suite(writer, file)?;
            }
            Ok(())
        })?;
    let mut bytes = writer.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn suite(writer: &mut Writer<Vec<u8>>, file: &Tested) -> io::Result<()> {
    let failed = file
        .cases
        .iter()
        .filter(|(_, failures)| !failures.is_empty());
    let counts = (file.cases.len().to_string(), failed.count().to_string());
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", file.file.as_str()),
            ("tests", &counts.0),
            ("failures", &counts.1),
        ])
        .write_inner_content(|writer| {
            for (name, failures) in &file.cases {
                let case = writer.create_element("testcase");
                let case = case
                    .with_attributes([("classname", file.file.as_str()), ("name", name.as_str())]);
                let Some(first) = failures.first() else {
                    case.write_empty()?;
                    continue;
                };
                case.write_inner_content(|writer| {
                    let failure = writer.create_element("failure");
                    let failure = failure.with_attribute(("message", first.as_str()));
                    failure.write_text_content(BytesText::new(&failures.join("\n")))?;
                    Ok(())
                })?;
            }
            Ok(())
        })?;
    Ok(())
}
