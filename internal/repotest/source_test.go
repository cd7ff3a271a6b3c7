package repotest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parsed is one Go file of the repository.
type parsed struct {
	path string
	file *ast.File
	set  *token.FileSet
}

func parseAll(t *testing.T) []parsed {
	t.Helper()
	all := make([]parsed, 0, 256)
	for _, name := range files(t, ".go") {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed{path: name, file: file, set: set})
	}
	return all
}

func (p parsed) isTest() bool { return strings.HasSuffix(p.path, "_test.go") }

func (p parsed) imports(name string) bool {
	return slices.ContainsFunc(p.file.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"`+name+`"` })
}

func TestEveryPackageHasOneComment(t *testing.T) {
	t.Parallel()
	comments := map[string][]string{} // folder to the files with a package comment
	product := map[string]bool{}      // folders with more than tests
	for _, p := range parseAll(t) {
		folder := path.Dir(p.path)
		if !p.isTest() {
			product[folder] = true
		}
		if _, ok := comments[folder]; !ok {
			comments[folder] = nil
		}
		if p.file.Doc != nil {
			comments[folder] = append(comments[folder], p.path)
		}
	}
	for folder, where := range comments {
		if len(where) != 1 {
			t.Errorf("package in %s: %d package comments %v, wanted one", folder, len(where), where)
			continue
		}
		if product[folder] && strings.HasSuffix(where[0], "_test.go") {
			t.Errorf("package in %s: its comment is in a test, %s", folder, where[0])
		}
	}
}

func TestCIsCalledFromOneFolder(t *testing.T) {
	t.Parallel()
	const folder = "internal/codec/av"
	callers := 0
	for _, p := range parseAll(t) {
		if !p.imports("C") {
			continue
		}
		callers++
		if path.Dir(p.path) != folder {
			t.Errorf(`%s imports "C": all calls of C are made in %s, so that one small package holds every C allocation`, p.path, folder)
		}
	}
	if callers == 0 {
		t.Errorf(`nothing in %s imports "C": has the folder moved?`, folder)
	}
}

func TestFilesAreSmall(t *testing.T) {
	t.Parallel()
	const most = 400
	for _, p := range parseAll(t) {
		if lines := p.set.File(p.file.Pos()).LineCount(); lines > most && !p.isTest() && !ast.IsGenerated(p.file) {
			t.Errorf("%s has %d lines, wanted at most %d: give each idea its own file", p.path, lines, most)
		}
	}
}

// A sleep in a test is either too short, and the test fails now and then, or too long for everyone. Only inside a
// bubble of testing/synctest does it cost nothing.
func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	for _, p := range parseAll(t) {
		if !p.isTest() || p.imports("testing/synctest") {
			continue
		}
		ast.Inspect(p.file, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok && isSleep(call) {
				t.Errorf("%s sleeps: wait on a signal, or use testing/synctest", p.set.Position(call.Pos()))
			}
			return true
		})
	}
}

func isSleep(call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "Sleep" {
		return false
	}
	name, ok := selector.X.(*ast.Ident)
	return ok && name.Name == "time"
}
