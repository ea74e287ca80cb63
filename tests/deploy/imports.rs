//! What the files of `src` import from each other.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::repository::File;

/// The path of a module below the crate: `["crypto", "key_set"]`.
pub(crate) type Module = Vec<String>;

/// One path in a file that names something of another file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: Module,
    pub(crate) line: usize,
    /// The path as it was resolved: module and item.
    pub(crate) path: String,
    /// The file that has the item.
    pub(crate) to: Module,
}

/// The modules of a crate, without those that only its tests have.
#[derive(Default)]
pub(crate) struct Crate {
    /// Their files.
    pub(crate) files: BTreeMap<Module, String>,
    /// What each module imports under a name, re-exports included.
    names: BTreeMap<(Module, String), Module>,
    mentions: Vec<Mention>,
}

/// A path in a file.
struct Mention {
    from: Module,
    line: usize,
    /// Absolute, as far as the file says.
    target: Module,
    is_re_export: bool,
}

impl Crate {
    /// Reads the files of `src`: the library, without `lib.rs` and the programs.
    pub(crate) fn read(files: &[File]) -> Self {
        let mut all = Self::default();
        let mut for_tests = BTreeSet::new();
        for file in files {
            if let Some(module) = module_of(&file.name) {
                all.files.insert(module, file.name.clone());
            }
        }
        for file in files {
            if let Some(module) = module_of(&file.name) {
                let tokens = file.text.parse().unwrap();
                all.tokens(&module, tokens, &mut for_tests);
            }
        }
        let is_for_tests =
            |module: &Module| (1..=module.len()).any(|end| for_tests.contains(&module[..end]));
        all.files.retain(|module, _| !is_for_tests(module));
        all.mentions.retain(|mention| !is_for_tests(&mention.from));
        all.names.retain(|(module, _), _| !is_for_tests(module));
        all
    }

    /// The imports between different files. A re-export is none: the module that has it does not
    /// use the item.
    pub(crate) fn imports(&self) -> BTreeSet<Import> {
        let used = self.mentions.iter().filter(|mention| !mention.is_re_export);
        used.filter_map(|mention| {
            let to = self.file_of(&mention.target, 0)?;
            let import = Import {
                from: mention.from.clone(),
                line: mention.line,
                path: format!("crate::{}", mention.target.join("::")),
                to,
            };
            (import.from != import.to).then_some(import)
        })
        .collect()
    }

    /// The module whose file has what an absolute path names.
    fn file_of(&self, path: &[String], depth: usize) -> Option<Module> {
        assert!(depth < 20, "a re-export names itself: {path:?}");
        let mut module = Module::new();
        for (at, segment) in path.iter().enumerate() {
            let mut child = module.clone();
            child.push(segment.clone());
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            if let Some(target) = self.names.get(&(module.clone(), segment.clone())) {
                let mut target = target.clone();
                target.extend(path[at + 1..].iter().cloned());
                return self.file_of(&target, depth + 1);
            }
            break;
        }
        (!module.is_empty()).then_some(module)
    }

    fn tokens(&mut self, module: &Module, tokens: TokenStream, for_tests: &mut BTreeSet<Module>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut is_public = false;
        while at < tokens.len() {
            if is_cfg_test(&tokens[at..]) {
                at = self.skip_item(module, &tokens, at + 2, for_tests);
                continue;
            }
            match &tokens[at] {
                TokenTree::Ident(ident) if ident == "pub" => is_public = true,
                TokenTree::Ident(ident) if ident == "use" => {
                    let end = end_of_item(&tokens, at);
                    self.uses(module, &[], &tokens[at + 1..end], is_public);
                    at = end;
                    is_public = false;
                }
                TokenTree::Ident(first) => {
                    is_public = false;
                    let line = first.span().start().line;
                    let (path, end) = path(&tokens, at);
                    if path.len() > 1 {
                        if let Some(path) = self.absolute(module, &path, false) {
                            self.add(module, line, path, false);
                        }
                    }
                    at = end;
                    continue;
                }
                // The path of `pub(in path)` says which modules see the item. It imports nothing.
                TokenTree::Group(group) if is_public && is_visibility(group) => {}
                TokenTree::Group(group) => {
                    if group.delimiter() != Delimiter::Parenthesis {
                        is_public = false;
                    }
                    self.tokens(module, group.stream(), for_tests);
                }
                _ => is_public = false,
            }
            at += 1;
        }
    }

    /// Skips what only tests have, and notes a module that only they have.
    fn skip_item(
        &self,
        module: &Module,
        tokens: &[TokenTree],
        at: usize,
        for_tests: &mut BTreeSet<Module>,
    ) -> usize {
        let end = end_of_item(tokens, at);
        let names = tokens[at..end].windows(2).filter_map(|pair| match pair {
            [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mod" => {
                Some(name.to_string())
            }
            _ => None,
        });
        for name in names {
            let mut child = module.clone();
            child.push(name);
            if self.files.contains_key(&child) {
                for_tests.insert(child);
            }
        }
        end + 1
    }

    /// Reads the tree of a `use`, below a prefix.
    fn uses(&mut self, module: &Module, prefix: &[String], tree: &[TokenTree], is_public: bool) {
        for branch in tree.split(|token| is_punct(token, ',')) {
            let (mut path, end) = path(branch, 0);
            let Some(first) = branch.first() else {
                continue;
            };
            let line = first.span().start().line;
            let mut whole = prefix.to_vec();
            if let (Some(TokenTree::Group(group)), true) = (branch.last(), end < branch.len()) {
                whole.append(&mut path);
                let inner: Vec<_> = group.stream().into_iter().collect();
                self.uses(module, &whole, &inner, is_public);
                continue;
            }
            if path == ["self"] && !whole.is_empty() {
                path.clear();
            }
            whole.append(&mut path);
            let Some(absolute) = self.absolute(module, &whole, true) else {
                continue;
            };
            let alias = branch[end..].iter().find_map(|token| match token {
                TokenTree::Ident(name) if name != "as" => Some(name.to_string()),
                _ => None,
            });
            let is_glob = branch.last().is_some_and(|token| is_punct(token, '*'));
            if let (Some(name), false) = (alias.or_else(|| whole.last().cloned()), is_glob) {
                self.names.insert((module.clone(), name), absolute.clone());
            }
            self.add(module, line, absolute, is_public);
        }
    }

    fn add(&mut self, module: &Module, line: usize, target: Module, is_re_export: bool) {
        self.mentions.push(Mention {
            from: module.clone(),
            line,
            target,
            is_re_export,
        });
    }

    /// The path below the crate; `None`: it names another crate, or nothing outside of the file.
    fn absolute(&self, module: &Module, path: &[String], is_use: bool) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut base = module.clone();
        let mut rest = rest;
        match first.as_str() {
            "crate" => base = Module::new(),
            "self" if is_use => {}
            "super" => {
                base.pop();
                while let Some(("super", more)) =
                    rest.split_first().map(|(next, more)| (next.as_str(), more))
                {
                    base.pop();
                    rest = more;
                }
            }
            child => {
                base.push(child.to_owned());
                self.files.get(&base)?;
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }
}

/// The module of a file of the library.
fn module_of(file: &str) -> Option<Module> {
    let path = file.strip_prefix("src/")?.strip_suffix(".rs")?;
    if path == "lib" || path.starts_with("bin/") {
        return None;
    }
    let path = path.strip_suffix("/mod").unwrap_or(path);
    Some(path.split('/').map(str::to_owned).collect())
}

/// A path of names, and where it ends: before a group, a glob or anything else.
fn path(tokens: &[TokenTree], at: usize) -> (Module, usize) {
    let mut path = Module::new();
    let mut at = at;
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        path.push(name.to_string());
        at += 1;
        let colons = tokens.get(at..at + 2).unwrap_or_default();
        if colons.len() < 2 || !colons.iter().all(|token| is_punct(token, ':')) {
            break;
        }
        at += 2;
    }
    (path, at)
}

/// Where an item ends: at its semicolon or its braces.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_use = matches!(&tokens.get(at), Some(TokenTree::Ident(word)) if *word == "use");
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_use,
        token => is_punct(token, ';'),
    };
    let rest = tokens.get(at..).unwrap_or_default();
    at + rest.iter().position(ends).unwrap_or(rest.len())
}

fn is_cfg_test(tokens: &[TokenTree]) -> bool {
    let [hash, TokenTree::Group(group), ..] = tokens else {
        return false;
    };
    let text = group.stream().to_string().replace(' ', "");
    is_punct(hash, '#') && (text == "cfg(test)" || text.starts_with("cfg(all(test,"))
}

/// Whether a group after `pub` is `(in path)`.
fn is_visibility(group: &Group) -> bool {
    let first = group.stream().into_iter().next();
    matches!(first, Some(TokenTree::Ident(word)) if word == "in")
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| File {
                name: (*name).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let imports = Crate::read(&files).imports();
        imports
            .iter()
            .map(|import| {
                format!(
                    "{}:{} {} {}",
                    import.from.join("/"),
                    import.line,
                    import.path,
                    import.to.join("/")
                )
            })
            .collect()
    }

    #[test]
    fn every_way_to_name_an_item_of_another_file_is_found() {
        let found = imports(&[
            ("src/lib.rs", "pub mod a;"),
            (
                "src/a/mod.rs",
                "mod low;\npub use low::{self, Low as Deep};\nfn f() { low::g() }",
            ),
            ("src/a/low.rs", "pub struct Low;"),
            (
                "src/b.rs",
                "use crate::{a::Deep, a::low::{Low, other::Thing}};\nuse std::fmt;\n\
                 fn f() -> crate::a::Deep {\n vec![crate::a::low::N];\n}",
            ),
            (
                "src/b/c.rs",
                "use super::f;\nuse super::super::a;\nuse crate::a::low::*;",
            ),
            ("src/bin/x.rs", "use crate::a;"),
        ]);
        assert_eq!(
            found,
            [
                "a:3 crate::a::low::g a/low",
                "b:1 crate::a::Deep a/low",
                "b:1 crate::a::low::Low a/low",
                "b:1 crate::a::low::other::Thing a/low",
                "b:3 crate::a::Deep a/low",
                "b:4 crate::a::low::N a/low",
                "b/c:1 crate::b::f b",
                "b/c:2 crate::a a",
                "b/c:3 crate::a::low a/low",
            ]
        );
    }

    #[test]
    fn the_path_of_a_visibility_is_no_import() {
        let found = imports(&[
            ("src/a/mod.rs", "pub mod b;"),
            (
                "src/a/b.rs",
                "pub(in crate::a) struct S(pub (crate::a::T, u8));\n\
                 pub(in crate::a) fn f() { crate::a::g() }",
            ),
        ]);
        assert_eq!(found, ["a/b:1 crate::a::T a", "a/b:2 crate::a::g a"]);
    }

    #[test]
    fn what_only_tests_have_is_left_out() {
        let found = imports(&[
            (
                "src/a.rs",
                "#[cfg(test)]\nuse crate::b::{C};\n#[cfg(test)]\nmod tests;\n\
                 #[cfg(test)]\nmod more { use crate::b; }\n\
                 #[cfg(test)]\nfn f() { crate::b::g() }\nuse crate::b::D;",
            ),
            ("src/a/tests.rs", "use crate::b::E;"),
            ("src/a/tests/deep.rs", "use crate::b::F;"),
            ("src/b.rs", "/// [`crate::a`]\npub struct D;"),
        ]);
        assert_eq!(found, ["a:9 crate::b::D b"]);
    }
}
