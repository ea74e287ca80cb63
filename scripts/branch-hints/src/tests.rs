//! A small module, and what becomes of it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, Module, TypeSection, ValType,
};
use wasmi::{Engine, Linker, Store};
use wasmparser::{KnownCustom, Operator, Parser, Payload};

use crate::hints::with_hints;
use crate::instrumented::{instrumented, Branch};

/// Imports one function, and exports `twice`: 7 for 0 and another number otherwise, by a function with an `if` that
/// a second one calls behind a `br_if`.
fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut imports = ImportSection::new();
    imports.import("env", "same", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(0).function(0);
    let mut exports = ExportSection::new();
    exports.export("twice", ExportKind::Func, 2);
    let mut inner = Function::new([]);
    inner
        .instructions()
        .local_get(0)
        .if_(BlockType::Result(ValType::I32))
        .local_get(0)
        .call(0)
        .else_()
        .i32_const(7)
        .end()
        .end();
    let mut outer = Function::new([(1, ValType::I32)]);
    outer
        .instructions()
        .block(BlockType::Empty)
        .local_get(0)
        .call(1)
        .local_tee(1)
        .br_if(0)
        .unreachable()
        .end()
        .local_get(1)
        .end();
    let mut code = CodeSection::new();
    code.function(&inner).function(&outer);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// What `twice` returns for this number.
fn twice(module: &[u8], number: i32) -> i32 {
    let engine = Engine::default();
    let module = wasmi::Module::new(&engine, module).unwrap();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("env", "same", |number: i32| number)
        .unwrap();
    linker
        .func_wrap("branch-hints", "branch", |condition: i32, number: i32| {
            SEEN.with_borrow_mut(|seen| seen.push((number, condition)));
            condition
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    let twice = instance.get_typed_func::<i32, i32>(&store, "twice");
    twice.unwrap().call(&mut store, number).unwrap()
}

thread_local!(static SEEN: RefCell<Vec<(i32, i32)>> = RefCell::default());

#[test]
fn an_instrumented_module_does_the_same_and_tells_each_branch() {
    let module = module();
    let (instrumented, branches) = instrumented(&module).unwrap();
    assert_eq!(branches.len(), 2);
    for (number, result, told) in [(0, 7, [(0, 0), (1, 7)]), (5, 5, [(0, 5), (1, 5)])] {
        assert_eq!(twice(&module, number), result);
        assert_eq!(SEEN.take(), []);
        assert_eq!(twice(&instrumented, number), result);
        assert_eq!(SEEN.take(), told);
    }
}

/// An engine that finds anything else at the place of a hint may refuse the module.
#[test]
fn each_hint_is_at_its_branch_and_before_the_code() {
    let module = module();
    let (_, branches) = instrumented(&module).unwrap();
    let [inner, outer] = branches.as_slice() else {
        panic!("{branches:?}");
    };
    let hinted = with_hints(&module, &[(*inner, false), (*outer, true)]).unwrap();
    assert_eq!(twice(&hinted, 5), 5);
    let mut found = BTreeMap::new();
    let mut at_branches = Vec::new();
    let mut function = 1;
    for payload in Parser::new(0).parse_all(&hinted) {
        match payload.unwrap() {
            Payload::CustomSection(section) => {
                assert_eq!(section.name(), "metadata.code.branch_hint");
                let KnownCustom::BranchHints(functions) = section.as_known() else {
                    panic!("no hints");
                };
                for hints in functions {
                    let hints = hints.unwrap();
                    for hint in hints.hints {
                        let hint = hint.unwrap();
                        found.insert((hints.func, hint.func_offset), hint.taken);
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let start = body.range().start;
                for operator in body
                    .get_operators_reader()
                    .unwrap()
                    .into_iter_with_offsets()
                {
                    let (operator, offset) = operator.unwrap();
                    let offset = u32::try_from(offset - start).unwrap();
                    if let Operator::If { .. } | Operator::BrIf { .. } = operator {
                        at_branches.push(found.remove(&(function, offset)).unwrap());
                        assert!(branches.contains(&Branch { function, offset }));
                    }
                }
                function += 1;
            }
            _ => {}
        }
    }
    assert_eq!(at_branches, [false, true]);
    assert_eq!(found, BTreeMap::new());
}
