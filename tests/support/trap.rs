//! A module that fails on every request, as a broken filter would.

/// The bytes of the module: the minimum for Envoy, and a callback for request heads with the
/// instruction `unreachable`.
pub(crate) fn module() -> Vec<u8> {
    /// Name, index of the type, body.
    const FUNCTIONS: [(&str, u8, &[u8]); 4] = [
        ("proxy_abi_version_0_2_1", 0, &[END]),
        ("proxy_on_context_create", 1, &[END]),
        ("proxy_on_memory_allocate", 2, &[I32_CONST, 0x80, 0x08, END]),
        ("proxy_on_request_headers", 3, &[UNREACHABLE, END]),
    ];
    const UNREACHABLE: u8 = 0x00;
    const I32_CONST: u8 = 0x41;
    const END: u8 = 0x0b;
    const I32: u8 = 0x7f;

    let types: [&[u8]; 4] = [
        &[0x60, 0, 0],
        &[0x60, 2, I32, I32, 0],
        &[0x60, 1, I32, 1, I32],
        &[0x60, 3, I32, I32, I32, 1, I32],
    ];
    let export = |name: &str, kind: u8, index: u8| {
        let name = [&[length(name.len())], name.as_bytes()].concat();
        [name, vec![kind, index]].concat()
    };
    let mut exports = vec![export("memory", 2, 0)];
    for (index, (name, _, _)) in (0..).zip(FUNCTIONS) {
        exports.push(export(name, 0, index));
    }
    let bodies =
        FUNCTIONS.map(|(_, _, body)| [&[length(body.len().saturating_add(1)), 0], body].concat());
    let declared = FUNCTIONS.map(|(_, kind, _)| vec![kind]);
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &types.map(<[u8]>::to_vec)),
        section(3, &declared),
        section(5, &[vec![0, 1]]),
        section(7, &exports),
        section(10, &bodies),
    ]
    .concat()
}

fn section(number: u8, items: &[Vec<u8>]) -> Vec<u8> {
    let content = [vec![length(items.len())], items.concat()].concat();
    // LEB128, in two bytes.
    let size = content.len();
    let low = length(size % 128) | 0x80;
    [vec![number, low, length(size / 128)], content].concat()
}

/// Encodes a length in one byte, because all lengths here are short.
fn length(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}
