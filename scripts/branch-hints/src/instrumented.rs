//! The module with a call to the host before each branch.

use std::convert::Infallible;

use wasm_encoder::reencode::{utils, Error, Reencode};
use wasm_encoder::{
    CodeSection, EntityType, ImportSection, Instruction, Module, TypeSection, ValType,
};
use wasmparser::{FunctionBody, ImportSectionReader, Operator, Parser, TypeRef, TypeSectionReader};

/// Where a branch is in the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    /// The index of its function.
    pub(crate) function: u32,
    /// Bytes from the start of the function's body.
    pub(crate) offset: u32,
}

/// The module that tells the host of each branch, and the branches in the order of their numbers.
pub(crate) fn instrumented(module: &[u8]) -> Result<(Vec<u8>, Vec<Branch>), Error> {
    let mut instrumenter = Instrumenter::default();
    let mut out = Module::new();
    instrumenter.parse_core_module(&mut out, Parser::new(0), module)?;
    Ok((out.finish(), instrumenter.branches))
}

/// Adds an imported function behind the others, and calls of it.
#[derive(Default)]
struct Instrumenter {
    /// The type of the added function.
    ty: u32,
    /// How many functions the module imports, and so the index of the added one.
    imported: u32,
    /// How many bodies were read.
    bodies: u32,
    branches: Vec<Branch>,
}

impl Reencode for Instrumenter {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(function + u32::from(function >= self.imported))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_type_section(self, types, section)?;
        self.ty = types.len();
        types
            .ty()
            .function([ValType::I32, ValType::I32], [ValType::I32]);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error> {
        for import in section.clone() {
            let is_function = matches!(import?.ty, TypeRef::Func(_));
            self.imported += u32::from(is_function);
        }
        utils::parse_import_section(self, imports, section)?;
        imports.import("branch-hints", "branch", EntityType::Function(self.ty));
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let start = body.range().start;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let offset = operators.original_position() - start;
            let operator = operators.read()?;
            if let Operator::BrIf { .. } | Operator::If { .. } = operator {
                // The condition is the first argument, the number of the branch the second.
                let number = i32::try_from(self.branches.len()).expect("fewer branches");
                function.instruction(&Instruction::I32Const(number));
                function.instruction(&Instruction::Call(self.imported));
                self.branches.push(Branch {
                    function: self.imported + self.bodies,
                    offset: u32::try_from(offset).expect("a shorter body"),
                });
            }
            function.instruction(&self.instruction(operator)?);
        }
        self.bodies += 1;
        code.function(&function);
        Ok(())
    }
}
